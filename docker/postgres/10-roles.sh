#!/bin/bash
# Run once by the postgres image, when the data directory is new: three roles and the database that one of them owns.
# The migrations, run by biller_owner, grant what biller_app and biller_auditor may do.
set -euo pipefail

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set owner_password="$BILLER_OWNER_PASSWORD" \
  --set app_password="$BILLER_APP_PASSWORD" \
  --set auditor_password="$BILLER_AUDITOR_PASSWORD" <<'SQL'
create role biller_owner   login password :'owner_password';
create role biller_app     login password :'app_password';
create role biller_auditor login password :'auditor_password';
create database biller owner biller_owner;
revoke all on database biller from public;
grant connect on database biller to biller_app, biller_auditor;
SQL
