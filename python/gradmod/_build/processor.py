"""A library that is made for one processor and loaded on another: its gradients are left out, and that is said."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence

from .recipe import Recipe

#: Extensions of x86 by the compiler's macros, and what they are called when the processor is asked.
_EXTENSIONS = {
    "__SSE4_2__": "sse4.2", "__AVX__": "avx", "__AVX2__": "avx2", "__FMA__": "fma", "__BMI2__": "bmi2",
    "__AVX512F__": "avx512f", "__AVX512CD__": "avx512cd", "__AVX512BW__": "avx512bw", "__AVX512DQ__": "avx512dq",
    "__AVX512VL__": "avx512vl",
}  # fmt: skip


def guard(recipe: Recipe, options: Sequence[str]) -> str:
    """C++ that returns from the registration of mechanisms where the processor cannot run them.

    Args:
        recipe: How mechanisms are compiled.
        options: With what options.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return ""
    command = [*recipe.command(list(options)), "-dM", "-E", "-x", "c++", "/dev/null"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    defined = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("#define ")}
    needed = [name for macro, name in _EXTENSIONS.items() if macro in defined]
    checks = "".join(f'    if (!__builtin_cpu_supports("{name}")) lacks = "{name}";\n' for name in needed)
    return (
        '    const char* lacks = "";\n'
        f"{checks}"
        "    if (*lacks) {\n"
        '        fprintf(stderr, "gradmod: the gradients in this library need a processor with %s; "\n'
        '                "GRADMOD_CXXFLAGS=-march=x86-64-v2 gradmod build makes them for older ones\\n", lacks);\n'
        "        return;\n"
        "    }\n"
    )
