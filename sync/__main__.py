"""The command `d365-sync`: the flows of documents between shop and ERP."""

from pricing_proxy.lazy_commands import lazy_commands

COMMANDS = {
    "run": "sync.serve.command:run_command",
    "migrate": "sync.console.migrate_command:migrate_command",
    "check": "sync.console.check_command:check_command",
    "config": "sync.console.config_app:config_app",
    "status": "sync.console.looking:status_command",
    "failed": "sync.console.looking:failed_command",
    "show": "sync.console.looking:show_command",
    "order": "sync.console.order_command:order_command",
    "replay": "sync.console.intervening:replay_command",
    "skip": "sync.console.intervening:skip_command",
    "set-aside": "sync.console.odd_rows:set_aside_command",
    "edit": "sync.console.editing:edit_command",
    "export": "sync.console.order_command:export_command",
    "export-return": "sync.console.return_command:export_return_command",
    "map-customers": "sync.console.map_customers:map_customers_command",
    "approve": "sync.console.link_commands:approve_command",
    "reject": "sync.console.link_commands:reject_command",
    "link": "sync.console.link_commands:link_command",
    "unlink": "sync.console.link_commands:unlink_command",
    "links": "sync.console.link_commands:links_command",
    "pause": "sync.console.intervening:pause_command",
    "resume": "sync.console.intervening:resume_command",
    "limit": "sync.console.intervening:limit_command",
    "gate": "sync.console.gates:gate_app",
    "runs": "sync.console.runs_app:runs_app",
    "resync": "sync.console.resync_command:resync_command",
    "reconcile": "sync.console.reconcile_command:reconcile_command",
}

app = lazy_commands(
    COMMANDS,
    about="Orders, customers and returns from Magento to Dynamics 365, each exactly once; and what "
    "the ERP says now back into the shop.",
)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
