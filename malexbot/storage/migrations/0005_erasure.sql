-- Those of whom nothing is kept any more. The id itself has to stay, or the next walk
-- would bring everything back. A hash of it would hide nothing: who may read this may
-- hash the ids of the server's users as well.
CREATE TABLE erased (
    source text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, user_id)
);
