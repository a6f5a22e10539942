"""A new generation of a read model, built from the log beside the live one, to be compared with it or to replace it.

The projector folds only into tables that are of the version in its code: the swap changes tables, checkpoints and
version in one transaction, and a projector of another release leaves them alone from then on. A model whose live tables
are of another version, or that is new to a log with a history, is rebuilt by the consumer ``rebuilder``; until the swap
its old generation answers readers as it stands, and its lag shows. To have no such pause, run ``datamailer projections
rebuild all`` from the new release before the processes are replaced: the old ones keep the old generation up to date
until the swap.
"""
