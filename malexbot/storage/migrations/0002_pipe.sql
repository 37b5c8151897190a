-- What the pipe makes durable. Times that come from Mattermost are milliseconds of
-- its clock (bigint); times of ours are timestamptz. Ids compare byte by byte.

-- Each connection to a messenger that is not a proven resume of the last one.
CREATE TABLE connections (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    reason text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What is known of each channel, and how far it was read.
CREATE TABLE channels (
    source text COLLATE "C" NOT NULL,
    channel_id text COLLATE "C" NOT NULL,
    team_id text NOT NULL DEFAULT '',
    type text NOT NULL DEFAULT '',
    name text NOT NULL DEFAULT '',
    display_name text NOT NULL DEFAULT '',
    is_accessible boolean NOT NULL DEFAULT true,
    -- everything up to here is archived; live posts move it while filled_for is theirs
    mark_id text COLLATE "C" NOT NULL DEFAULT '',
    mark_at bigint NOT NULL DEFAULT 0,
    filled_for bigint NOT NULL DEFAULT 0,
    -- the walk through the history, newest first
    history_id text COLLATE "C" NOT NULL DEFAULT '',
    history_at bigint NOT NULL DEFAULT 0,
    is_history_done boolean NOT NULL DEFAULT false,
    edits_until bigint NOT NULL DEFAULT 0,
    edits_walk_id text NOT NULL DEFAULT '',
    -- the server's counters at the last look
    messages bigint NOT NULL DEFAULT 0,
    last_post_at bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (source, channel_id)
) WITH (fillfactor = 70);

-- The report of what was, or is, missing.
CREATE TABLE gaps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    channel_id text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz
);
CREATE UNIQUE INDEX gaps_open ON gaps (source, channel_id, kind)
    WHERE closed_at IS NULL;

-- The archive: the latest text of each post that is kept. `raw` is JSON as text: it
-- stays as the server wrote it and may hold an escaped NUL, which jsonb refuses; json
-- would check again what was parsed before, for a tenth of the intake's speed.
CREATE TABLE posts (
    id text COLLATE "C" PRIMARY KEY,
    channel_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    root_id text COLLATE "C" NOT NULL,
    type text NOT NULL,
    message text NOT NULL,
    create_at bigint NOT NULL,
    update_at bigint NOT NULL,
    edit_at bigint NOT NULL,
    delete_at bigint NOT NULL DEFAULT 0,
    raw text NOT NULL,
    -- the edit since which the filter keeps it; 0 is from the beginning
    kept_from bigint NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX posts_channel ON posts (channel_id, create_at);
CREATE INDEX posts_root ON posts (root_id) WHERE root_id <> '';

-- What a kept post said before; the one of its edit_at now is in posts.
CREATE TABLE post_versions (
    post_id text COLLATE "C" NOT NULL REFERENCES posts ON DELETE CASCADE,
    edit_at bigint NOT NULL,
    message text NOT NULL,
    raw text NOT NULL,
    PRIMARY KEY (post_id, edit_at)
);

-- It is there while it was added later than it was removed.
CREATE TABLE reactions (
    post_id text COLLATE "C" NOT NULL REFERENCES posts ON DELETE CASCADE,
    user_id text COLLATE "C" NOT NULL,
    emoji text COLLATE "C" NOT NULL,
    added_at bigint NOT NULL DEFAULT 0,
    removed_at bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (post_id, user_id, emoji)
);

-- What came before the post that it belongs to: a live edit, deletion or reaction
-- overtakes a page that was read before it. It is merged with the post; what finds
-- none is forgotten after an hour. kind: p a post as it was, v an old version,
-- d a deletion, t the last words of a deleted post, a and r a reaction added and
-- removed (at update_at).
CREATE TABLE echoes (
    kind "char" NOT NULL,
    keeps boolean NOT NULL,
    id text COLLATE "C" NOT NULL,
    channel_id text COLLATE "C",
    user_id text COLLATE "C",
    root_id text COLLATE "C",
    type text,
    message text,
    create_at bigint,
    update_at bigint,
    edit_at bigint,
    delete_at bigint,
    raw text,
    emoji text COLLATE "C",
    heard_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX echoes_id ON echoes (id);
CREATE INDEX echoes_heard ON echoes USING brin (heard_at);

-- Everything that acts: kind "run" is a processor on an event; any other is an effect
-- of a job, one thing to send. Finished ones stay a while: they tell a repeat.
CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key uuid NOT NULL DEFAULT gen_random_uuid(),
    kind text NOT NULL,
    name text NOT NULL,
    lane text COLLATE "C" NOT NULL,
    event_id text COLLATE "C",
    parent bigint,
    number integer,
    event text,
    payload json,
    state text NOT NULL DEFAULT 'ready',
    -- its lane went on without it
    is_loose boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    -- when it may be claimed: of a leased one, the end of the lease
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    epoch bigint,
    started_at timestamptz,
    failing_since timestamptz,
    sending_at timestamptz,
    quiet_key text COLLATE "C",
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    CHECK (state IN ('ready', 'leased', 'done', 'dead', 'expired', 'dropped')),
    CHECK ((finished_at IS NULL) = (state IN ('ready', 'leased')))
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
CREATE UNIQUE INDEX jobs_event ON jobs (event_id, name) WHERE event_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_effect ON jobs (parent, number) WHERE parent IS NOT NULL;
CREATE INDEX jobs_lane ON jobs (lane, id) WHERE finished_at IS NULL AND NOT is_loose;
CREATE INDEX jobs_due ON jobs (due_at) WHERE finished_at IS NULL AND attempts > 0;
CREATE INDEX jobs_expiring ON jobs (expires_at)
    WHERE finished_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX jobs_quiet ON jobs (quiet_key, created_at) WHERE quiet_key IS NOT NULL;
CREATE INDEX jobs_created ON jobs USING brin (created_at);

-- What came in and cannot be kept, as it came, for a person to see.
CREATE TABLE rejects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    raw bytea NOT NULL,
    reason text NOT NULL,
    times integer NOT NULL DEFAULT 1,
    first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX rejects_raw ON rejects (source, md5(raw));
