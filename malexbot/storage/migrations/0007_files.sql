-- The files that hang on kept posts; `archive.files: keep` keeps their content too.

-- Which post has which file. One is waiting until a job has it ("fetching"); then it
-- is kept, gone (the server has it no more) or closed (we may not read it). One that
-- another machine keeps, and this one not yet, is waiting with a sha256.
CREATE TABLE files (
    post_id text COLLATE "C" NOT NULL REFERENCES posts ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    -- as the server tells; of a kept one, as it is
    size bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    reason text NOT NULL DEFAULT '',
    sha256 text COLLATE "C",
    tries integer NOT NULL DEFAULT 0,
    -- when it may be fetched: the newest post comes first
    due_at timestamptz NOT NULL,
    job_id bigint,
    PRIMARY KEY (post_id, id),
    CHECK (state IN ('waiting', 'fetching', 'kept', 'gone', 'closed')),
    CHECK (state <> 'kept' OR sha256 IS NOT NULL)
);
CREATE INDEX files_due ON files (due_at) WHERE state IN ('waiting', 'closed');
CREATE INDEX files_fetching ON files (job_id) WHERE state = 'fetching';
CREATE INDEX files_sha256 ON files (sha256) WHERE sha256 IS NOT NULL;

-- What lies in a folder of files, each content once. A row is there before its content
-- comes and until it has gone: what no row tells of nobody would delete.
CREATE TABLE contents (
    sha256 text COLLATE "C" NOT NULL,
    -- the id of the folder: another machine has another one
    place text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    -- since when it may be of no use any more: somebody has to look
    released_at timestamptz DEFAULT clock_timestamp(),
    PRIMARY KEY (sha256, place)
);
CREATE INDEX contents_released ON contents (place) WHERE released_at IS NOT NULL;

CREATE FUNCTION release_contents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contents SET released_at = clock_timestamp()
    WHERE sha256 IN (SELECT sha256 FROM gone);
    RETURN NULL;
END
$$;
CREATE TRIGGER files_gone AFTER DELETE ON files
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION release_contents();

-- How far the posts of before were looked through for files; no row: all were.
CREATE TABLE unfiled (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    after_channel text COLLATE "C" NOT NULL DEFAULT '',
    after_at bigint NOT NULL DEFAULT 0,
    after_id text COLLATE "C" NOT NULL DEFAULT ''
);
INSERT INTO unfiled SELECT WHERE EXISTS (SELECT FROM posts);
