"""Threads, datasets, models, exports: everything sensorloom does, without a screen."""
