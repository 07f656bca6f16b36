"""Mechanisms, cells and runs made at random, compared with finite differences: what Csmith is to C compilers.

`tree` is what is made and shrunk, `chance` decides; `expressions`, `statements`, `states`, `currents`, `ions`,
`events`, `rings`, `streams`, `memories` and `mechanisms` make NMODL, `models` cells, drives and ways to run. `batch`
compiles many mechanisms at once and starts a `worker` process for each model. There the model is `built`, with `styles`
of ions, values from `plays` and `parameters` to move, and compared (`compare`, and `differences`). `shrink` makes
what fails small.
"""
