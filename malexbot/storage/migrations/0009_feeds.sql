-- How far each feed was read that keeps its own queue: VK's, of each community. What
-- happened after answered_at may have waited there for us.
CREATE TABLE feeds (
    source text COLLATE "C" NOT NULL,
    feed text COLLATE "C" NOT NULL,
    ts text NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (source, feed)
) WITH (fillfactor = 70);

-- What was lost lately is shown.
CREATE INDEX gaps_closed ON gaps (closed_at) WHERE kind = 'lost';
