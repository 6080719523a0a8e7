"""The folder as a list: what each thread's row needs, kept in an index, in an order, counted.

It reads threads and never writes one; what a row means to a filter or an export is handed in.
"""
