"""BluePyOpt's objects in gradmod's words; :mod:`gradmod.bluepyopt` is what users see."""
