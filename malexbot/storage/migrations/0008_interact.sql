-- What may be pressed or filled in, by the secret reference that its message or its
-- dialog carries. It is made in the transaction of the job that sends it.
CREATE TABLE grants (
    ref text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    action text NOT NULL,
    payload json NOT NULL,
    channel_id text COLLATE "C" NOT NULL,
    -- which post carries it, once that is known
    post_id text COLLATE "C" NOT NULL DEFAULT '',
    -- whose alone it is; of nobody is everybody's
    users text[] COLLATE "C" NOT NULL,
    options text[] NOT NULL,
    -- who uses one uses all that have the same: each of them counts it
    choice text COLLATE "C" NOT NULL,
    uses integer,
    used integer NOT NULL DEFAULT 0,
    -- on whose event it was made: who is erased takes it along
    caused_by text COLLATE "C" NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX grants_choice ON grants (choice);
CREATE INDEX grants_expires ON grants (expires_at);

-- By which event one was used: that one may use it again when it is done anew.
CREATE TABLE grant_uses (
    ref text COLLATE "C" NOT NULL REFERENCES grants ON DELETE CASCADE,
    event_id text COLLATE "C" NOT NULL,
    used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (ref, event_id)
);

-- What plugins keep, each in a space of its own. A version is never used twice, so a
-- value that went and came again is not taken for the one before.
CREATE TABLE store (
    space text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value json NOT NULL,
    version bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (space, key)
) WITH (fillfactor = 80);

-- The slash commands that were registered on the server. It shows the token that it
-- gave each with every call; here is only by what it is known again.
CREATE TABLE commands (
    source text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    team_id text COLLATE "C" NOT NULL,
    trigger text COLLATE "C" NOT NULL,
    fingerprint text NOT NULL,
    PRIMARY KEY (source, id)
);

-- Which answers were sent by the way that a slash command brought along, late: a
-- server takes only some of them.
CREATE TABLE answer_ways (
    event_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (event_id, key)
);

-- Whether a job is still its holder's, asked within the very words that write more
-- than its end; from then on nobody else can end it.
CREATE FUNCTION require_lease(job bigint, of_epoch bigint, attempt integer)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM jobs
    WHERE id = job AND state = 'leased' AND epoch = of_epoch AND attempts = attempt
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'it was ended, or somebody else has it'
            USING ERRCODE = 'MX002';
    END IF;
END
$$;

-- Whether what was read is still the same; who writes holds the lock of its space.
CREATE FUNCTION require_versions(seen json)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM json_to_recordset(seen) AS told (space text, key text, version bigint)
    LEFT JOIN store ON store.space = told.space AND store.key = told.key
    WHERE coalesce(store.version, 0) <> told.version;
    IF FOUND THEN
        RAISE EXCEPTION 'somebody else has written what was read'
            USING ERRCODE = 'MX003';
    END IF;
END
$$;
