"""The command `pricing-proxy`: serve prices, check a configuration, try everything out."""

from pricing_proxy.lazy_commands import lazy_commands

COMMANDS = {
    "serve": "pricing_proxy.serve.command:serve_command",
    "check": "pricing_proxy.check.command:check_command",
    "explain": "pricing_proxy.explain.command:explain_command",
    "gate": "pricing_proxy.operating.gate_command:gate_app",
    "poison": "pricing_proxy.operating.poison_command:poison_app",
    "config": "pricing_proxy.configuring.config_app:config_app",
    "key": "pricing_proxy.configuring.key_command:key_command",
    "demo": "pricing_proxy.demo.command:demo_command",
    "sandbox": "pricing_proxy.sandbox.command:sandbox_app",
}

app = lazy_commands(
    COMMANDS, about="Customer prices from Dynamics 365 for Magento: fast, and never silently old."
)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
