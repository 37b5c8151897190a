-- How those are called who wrote or marked a kept post: posts know ids only. The name
-- that was heard last counts.
CREATE TABLE people (
    source text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (source, user_id)
);
