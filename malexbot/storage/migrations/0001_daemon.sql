-- The one active daemon. Its epoch rises each time somebody becomes active; a
-- write that carries an older one is refused.
CREATE TABLE daemon (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch bigint NOT NULL DEFAULT 0,
    host text,
    pid integer,
    version text,
    taken_at timestamptz
);

INSERT INTO daemon DEFAULT VALUES;
