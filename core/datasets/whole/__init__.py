"""Long recordings kept whole beside the sessions: reading them, marking their stretches, cutting windows anew.

`NAME/recordings/REC/data.parquet` with `intervals.csv` beside it. How somebody's files become recordings is not here.
"""
