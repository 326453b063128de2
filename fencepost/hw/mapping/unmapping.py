"""The calls that take away what was mapped."""

from __future__ import annotations

from functools import partial

from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.client import Client
from fencepost.hw.mapping.process import Process

__all__ = ["free", "unmap"]


def unmap(process: Process, client: Client, arguments: Arguments) -> None:
    """Unmap a buffer on all devices; they have forgotten it when this returns. Client context.

    Where it is not mapped nothing is done, so a call that is made again only waits. It holds the mutex until its end.

    Raises OSError as `Process.entered`, `Process.unmap` and `Client.wait_for`.

    (kernel: kfd_ioctl_unmap_memory_from_gpu)
    """
    client.call(partial(_unmap, process), arguments)


def free(process: Process, client: Client, handle: int) -> None:
    """Free a buffer, wherever it is mapped. Client context.

    Blocks until no GPU can get to its memory; no signal interrupts that once it has begun.

    Raises OSError ENOENT when it was freed before. (kernel: kfd_ioctl_free_memory_of_gpu, which wants it unmapped)
    """
    client.call(partial(_free, process), Arguments(handle, (0,)))


def _unmap(process: Process, client: Client, arguments: Arguments) -> None:
    handle = arguments.handle
    with process.entered(client, arguments):
        for device in arguments.devices:
            process.unmap(client, handle, device)
        tables = [process.tables[device] for device in arguments.devices]
        client.begin_wait()
        awaited = [table.awaited(handle, maps=False) for table in tables]
        client.wait_for(update for update in awaited if update is not None)
        for table in tables:
            table.flush()
        process.unpin_unmapped(handle)


def _free(process: Process, client: Client, arguments: Arguments) -> None:
    with process.entered(client, arguments):
        process.unmap_for_good(client, arguments.handle, range(len(process.gpus)))
        process.forget(arguments.handle)
