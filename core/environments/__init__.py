"""Episodes in the forms that training frameworks take, one module a framework. What a module needs beside its own
framework is `core.episodes` alone; the framework is imported by no other room.
"""
