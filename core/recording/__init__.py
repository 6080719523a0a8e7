"""Live recording: lines from a source, onto one clock, into files that outlive a crash, and from there into a dataset.

`lines` reads what a source sends, `shape` decides what its columns are, `timeline` puts rows on one clock; `live_file`
and `live_folder` are what lies on the disk meanwhile; `recorder` puts these together and `session` drives it from one
of the `sources`. `finishing` makes the standard form of it, `last_window` one session of its end. No thread, no screen;
what cuts and names windows is `core/datasets`. Nothing listens unless a person says where.
"""
