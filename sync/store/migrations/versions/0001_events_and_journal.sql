CREATE TABLE alert (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    count INTEGER NOT NULL,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE,
    told_count INTEGER DEFAULT '0' NOT NULL,
    times_told INTEGER DEFAULT '0' NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX alert_open ON alert (key) WHERE ended_at IS NULL;

CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before JSONB,
    after JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE entity_map (
    market TEXT NOT NULL,
    kind TEXT NOT NULL,
    magento_id TEXT NOT NULL,
    erp_key TEXT NOT NULL,
    content_hash TEXT DEFAULT '' NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (market, kind, magento_id)
);

CREATE INDEX entity_map_by_erp_key ON entity_map (market, kind, erp_key);

CREATE TABLE flow_control (
    flow TEXT NOT NULL,
    market TEXT NOT NULL,
    is_paused BOOLEAN NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (flow, market)
);

CREATE TABLE reconciliation_run (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    market TEXT NOT NULL,
    window_from TIMESTAMP WITH TIME ZONE,
    window_to TIMESTAMP WITH TIME ZONE,
    compared INTEGER DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
);

CREATE TABLE sync_event (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    flow TEXT NOT NULL,
    market TEXT NOT NULL,
    business_key TEXT NOT NULL,
    source_key TEXT NOT NULL,
    lock_key TEXT NOT NULL,
    payload JSONB NOT NULL,
    state TEXT NOT NULL,
    depends_on BIGINT,
    due_at TIMESTAMP WITH TIME ZONE,
    attempts INTEGER DEFAULT '0' NOT NULL,
    fence BIGINT DEFAULT '0' NOT NULL,
    deaths INTEGER DEFAULT '0' NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    error_kind TEXT,
    error_field TEXT,
    error_text TEXT,
    error_advice TEXT,
    error_diff JSONB,
    trace TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (source_key),
    FOREIGN KEY(depends_on) REFERENCES sync_event (id)
);

CREATE INDEX sync_event_by_dependency ON sync_event (depends_on);

CREATE INDEX sync_event_by_key ON sync_event (flow, business_key);

CREATE INDEX sync_event_by_lock ON sync_event (lock_key, id);

CREATE INDEX sync_event_by_state ON sync_event (state, flow, market);

CREATE TABLE watermark (
    name TEXT NOT NULL,
    format INTEGER NOT NULL,
    value TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE discrepancy (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    run_id BIGINT NOT NULL,
    business_key TEXT NOT NULL,
    field TEXT NOT NULL,
    expected TEXT NOT NULL,
    found TEXT NOT NULL,
    cause TEXT NOT NULL,
    action TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(run_id) REFERENCES reconciliation_run (id)
);

CREATE INDEX discrepancy_by_run ON discrepancy (run_id);

CREATE TABLE sync_attempt (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id BIGINT NOT NULL,
    attempt INTEGER NOT NULL,
    fence BIGINT NOT NULL,
    system TEXT NOT NULL,
    operation TEXT NOT NULL,
    request JSONB NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    acked_at TIMESTAMP WITH TIME ZONE,
    status INTEGER,
    response JSONB,
    duration_ms INTEGER,
    mapping_version TEXT NOT NULL,
    configuration_hash TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(event_id) REFERENCES sync_event (id)
);

CREATE INDEX sync_attempt_by_age ON sync_attempt (sent_at);

CREATE INDEX sync_attempt_by_event ON sync_attempt (event_id, id);

