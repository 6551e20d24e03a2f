"""The model families, one file each; `paretosql.udfs.model.families()` imports them all."""
