"""``python runner.py NUMBER FOLDER`` runs the documents of a folder, `NUMBER` of them at once, without pytest."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from celltask.documents.kernels.imports import imports_of, shared_paths
from celltask.documents.kernels.pool import Kernels
from celltask.documents.kernels.scene import Scene
from celltask.documents.reader import read_document
from celltask.documents.session import Session, Stage


async def run(paths: list[Path], at_once: int) -> int:
    """Number of cells that failed."""
    kernels = Kernels()
    kernels.warm()
    documents = [read_document(path) for path in paths]
    servers = shared_paths([imports_of(document.cells) for document in documents])
    turns = asyncio.Semaphore(at_once)

    async def failures(at: int) -> int:
        document = documents[at]
        async with turns:
            session = Session(document, kernels, Stage(Scene(str(paths[at].parent)), path=servers[at]))
            try:
                results = [await session.result_of(cell, is_last=cell is document.cells[-1]) for cell in document.cells]
            finally:
                await session.close()
        return sum(result.failure is not None for result in results)

    try:
        return sum(await asyncio.gather(*map(failures, range(len(documents)))))
    finally:
        await kernels.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(sorted(Path(sys.argv[2]).absolute().glob("*.md")), int(sys.argv[1]))))
