"""The gate: how far somebody is signed in, and what that opens."""
