-- Full text search. A post is made findable behind the stream that brings it: the
-- batch that writes it only notes its id.

-- What is not indexed yet: one row a batch, with the ids of the posts that it wrote,
-- edited or deleted.
CREATE TABLE unindexed (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- NULL: all posts that there are, channel by channel; up to this one it is done
    post_ids text[] COLLATE "C",
    after_channel text COLLATE "C" NOT NULL DEFAULT '',
    after_at bigint NOT NULL DEFAULT 0,
    after_id text COLLATE "C" NOT NULL DEFAULT '',
    posts integer GENERATED ALWAYS AS (cardinality(post_ids)) STORED,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Ids look random: to compress them costs time and saves next to nothing.
ALTER TABLE unindexed ALTER COLUMN post_ids SET STORAGE EXTERNAL;

-- By what a post is found. There is no foreign key, which would lock each post anew:
-- a trigger says that posts are gone.
CREATE TABLE post_words (
    post_id text COLLATE "C" PRIMARY KEY,
    create_at bigint NOT NULL,
    words tsvector NOT NULL
) WITH (autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX post_words_words ON post_words USING gin (words)
    WITH (fastupdate = on, gin_pending_list_limit = 512);
CREATE INDEX post_words_create_at ON post_words (create_at);

-- Words in Latin letters are taken for English ones, others for Russian ones. No word
-- is left out as too common: a server may be "down".
CREATE TEXT SEARCH DICTIONARY russian_words
    (TEMPLATE = pg_catalog.snowball, LANGUAGE = russian);
CREATE TEXT SEARCH DICTIONARY english_words
    (TEMPLATE = pg_catalog.snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION spoken (COPY = pg_catalog.russian);
ALTER TEXT SEARCH CONFIGURATION spoken
    ALTER MAPPING REPLACE russian_stem WITH russian_words;
ALTER TEXT SEARCH CONFIGURATION spoken
    ALTER MAPPING REPLACE english_stem WITH english_words;

-- Plain words, which the caller has made of a text, as lexemes. The other lexemes have
-- a colon, which no word has: the index meets them with the words.
CREATE FUNCTION found_by(
    plain text, channel_id text, user_id text, is_deleted boolean
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(
        ARRAY['in:' || channel_id, 'by:' || user_id]
        || CASE WHEN is_deleted THEN ARRAY['is:deleted'] ELSE '{}' END
    ) || to_tsvector('spoken', plain)
$$;

-- A post that is indexed while it is deleted is looked at once more.
CREATE FUNCTION forget_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM post_words w USING gone WHERE w.post_id = gone.id;
    INSERT INTO unindexed (post_ids) SELECT array_agg(id) FROM gone HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER posts_gone AFTER DELETE ON posts
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_words();

-- As it stands in addresses; a direct channel has none.
ALTER TABLE channels ADD COLUMN team text NOT NULL DEFAULT '';

INSERT INTO unindexed (post_ids) SELECT NULL WHERE EXISTS (SELECT FROM posts);
