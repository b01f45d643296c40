"""The story of an order, one file per stage, in the order an order lives. Start here.

    intake.py        1  body -> OrderRequest; one answer per idempotency key
    approval.py      2  risk -> gate -> durable intent                             [transaction A]
    dispatch.py      3  claim [B] -> venue -> outcome [C]                          (I/O between B and C only)
    settlement.py    4  evidence and fills -> order, position, balances            [transaction D]
    following.py     ↻  an acknowledged order -> its fills
    in_doubt.py      ↺  unknown outcome -> truth, by targeted query
    resolution.py    ☝  a person's word on a quarantined order
    cancellation.py  ✕  cancel one, cancel many, confirm
    poller.py        ⏲  finds what no bell announced
    halts.py         ✋  engage, release; sweep.py cancels what is open and proves it
    flatten.py       ▁  closes positions, also while halted; closing.py takes the steps, flatten_runs.py to the verdict
    algos/           ⋯  TWAP, VWAP, iceberg: parents whose children are ordinary orders; algo_changes.py moves them
    triggers.py      ⚡  automatic halts
    authority.py     🔑  who may: a fresh second factor, a second person; approvals.py asks for one
    alerting.py      ✉  which audit entries a person is told of; delivery.py brings them to the channels
    builds.py        ⚒  which build of the code may send
    sync.py          ⟳  venue truth vs our books, differences as records

Rules that hold in every file: a venue call never happens inside a transaction; every state change and its audit entry
commit together; a verb takes `*, actor`; an order's status moves only through `domain.order_states`.
"""
