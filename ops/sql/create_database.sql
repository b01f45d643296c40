-- The database and its two roles, for a server of your own: once, by its administrator, with psql:
--
--     psql -v secrets=/etc/levi/secrets -f ops/sql/create_database.sql "postgresql://postgres@db.example.com/postgres"
--
-- `secrets` is the folder with the two roles' passwords, one to a file. The containers run this by themselves when their
-- database is made. levi owns the database and migrates it, and is used for nothing else; levi_app is what all processes
-- connect as, with the rights that roles.sql gives it after each migration. Neither may do anything outside of it.

\set ON_ERROR_STOP on
\if :{?secrets}
\else
    \set secrets /run/secrets
\endif
\set owner_password `cat :'secrets'/postgres_owner_password`
\set app_password `cat :'secrets'/postgres_app_password`
-- A file that is not there leaves the password empty, and nobody could sign in.
SELECT :'owner_password' = '' OR :'app_password' = '' OR :'owner_password' = :'app_password' AS unusable \gset
\if :unusable
    \warn create_database.sql: postgres_owner_password and postgres_app_password must be two files with two passwords
    DO $$ BEGIN RAISE EXCEPTION 'no usable passwords'; END $$;
\endif

CREATE ROLE levi LOGIN PASSWORD :'owner_password';
CREATE ROLE levi_app LOGIN PASSWORD :'app_password';
CREATE DATABASE levi OWNER levi ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE levi FROM PUBLIC;

\connect levi
-- Before PostgreSQL 15 everybody may create in this schema, and only its owner can change that.
ALTER SCHEMA public OWNER TO levi;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
