"""Cameras get a privacy mask."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("cameras", sa.Column("mask", sa.Text(), nullable=True))
