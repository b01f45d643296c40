"""Break glass: stop and clear the venues with nothing but this host, a sealed key file and the network.

    key_file.py    the accounts' lines and keys, sealed with LEVI_ENCRYPTION_KEY, written on purpose beforehand
    clearing.py    cancel and look, per account, until the venue has proven to be empty
    command.py     `manage.py break_glass`: the flag first, then everything else

Needs neither PostgreSQL nor Redis nor Django. Nothing here places an order.
"""
