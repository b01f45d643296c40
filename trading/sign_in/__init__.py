"""What a request proves about its person: who, from where, since when, and when the second factor was last shown.

    addresses.py   where a request comes from
    sessions.py    what Django's session knows about the sign-in, and whether it still holds
    gate.py        the middleware: who is signed in how far, and what that opens. STOP is never behind it
    not_done.py    what is said to who sent a form after the sign-in had ended
    trail.py       sign-ins, failures and lock-outs in the audit trail

Shared by the panel and the API, which do not know each other.
"""
