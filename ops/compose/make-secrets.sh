#!/bin/sh
# Generates the secrets of the compose stack under ops/compose/secrets/. Never overwrites: a lost encryption key makes
# every stored venue key unreadable, a lost audit key makes the audit trail unverifiable. Back the folder up, apart from
# the database.
# The folder is closed to everybody else; the files in it are readable, because containers read them as other users.
set -eu
umask 022
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"
chmod 0700 "$folder"

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

keep() { # keep NAME TEXT: writes the file unless it exists
    if [ -e "$folder/$1" ]; then
        echo "kept      $folder/$1"
    else
        printf '%s\n' "$2" > "$folder/$1.draft"
        mv "$folder/$1.draft" "$folder/$1"
        echo "generated $folder/$1"
    fi
}

keep secret_key "$(random)"
keep encryption_key "$(random)"
keep audit_key "$(random)"
# Three roles: the server's administrator, the owner of the tables (migrates, nothing else), and the application's, which
# cannot rewrite history. Each service reads only the one it needs.
keep postgres_password "$(random)"
keep postgres_owner_password "$(random)"
keep postgres_app_password "$(random)"
keep owner_database_url "postgresql://levi:$(cat "$folder/postgres_owner_password")@postgres:5432/levi"
keep database_url "postgresql://levi_app:$(cat "$folder/postgres_app_password")@postgres:5432/levi"
keep redis_conf "bind 0.0.0.0
port 6379
dir /data
appendonly yes
appendfsync everysec
save \"\"
maxmemory 200mb
maxmemory-policy noeviction
requirepass $(random)"
keep redis_url "redis://:$(sed -n 's/^requirepass //p' "$folder/redis_conf")@redis:6379/0"
