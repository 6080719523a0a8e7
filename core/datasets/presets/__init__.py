"""Pages of facts about apps, devices and public sets: which files, columns, units and labels they have.

A page says data and never acts; what reads tables is in `core.datasets.tables`. Nothing about one vendor is code here.
"""
