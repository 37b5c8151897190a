-- Whose turn it is, asked within the very words that write: in one round trip. The
-- lock makes a new active daemon wait until the writer is through; whoever waited for
-- one that came meanwhile finds another epoch.
CREATE FUNCTION require_turn(wanted bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM daemon WHERE epoch = wanted FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another daemon has become the active one'
            USING ERRCODE = 'MX001';
    END IF;
END
$$;
