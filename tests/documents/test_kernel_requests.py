"""Replies of a kernel are seen when they come, whatever is sent to it meanwhile."""

from __future__ import annotations

import asyncio
import select
from typing import Any

import zmq
from jupyter_client.manager import AsyncKernelManager

from celltask.documents.kernels.client import DocumentClient, Requests
from celltask.documents.kernels.notebooks import new_code_cell, new_notebook
from celltask.documents.kernels.provisioner import DocumentProvisioner

WIDGET = {"_model_name": "OutputModel", "_model_module": "@jupyter-widgets/output", "outputs": []}


def told(client: DocumentClient, kind: str, **content: object) -> None:
    """Have the client take in what a cell has published."""
    message: dict[str, Any] = client.requests.session.msg(kind, content, parent={"msg_id": "request"})
    client.process_message(message, client.nb.cells[0], 0)


async def reply_beside_a_widget(client: DocumentClient, kernel: zmq.Socket[bytes]) -> object:
    """The reply to a cell, which has come, and is not seen yet, when the cell's widget is told what it shows."""
    session, channel = client.requests.session, client.requests.shell_channel
    channel.send(session.msg("execute_request"))
    sender, _ = session.recv(kernel, mode=0)
    session.send(kernel, "input_reply", ident=sender)
    await channel.get_msg()
    told(client, "comm_open", comm_id="out", target_name="jupyter.widget", data={"state": WIDGET})
    told(client, "comm_msg", comm_id="out", data={"state": {"msg_id": "request"}})
    reply = asyncio.ensure_future(channel.get_msg())
    await asyncio.sleep(0)  # until it is awaited
    session.send(kernel, "execute_reply", ident=sender)
    signs = [channel.socket.FD]
    assert select.select(signs, [], [], 20)[0]
    while select.select(signs, [], [], 0)[0]:  # not each time that something is sent, the sign is taken
        told(client, "stream", name="stdout", text="x")
    return (await asyncio.wait_for(reply, 20))["msg_type"]


def test_a_reply_is_seen_that_comes_while_a_widget_is_told_what_it_shows() -> None:
    """A cell that prints into an output widget ends when it has ended, not when its time is over."""
    client = DocumentClient(new_notebook(cells=[new_code_cell()]), AsyncKernelManager(), DocumentProvisioner())
    client.kc, client.most_output = Requests(), 1_000_000
    with zmq.Context() as context, context.socket(zmq.ROUTER) as kernel:
        kernel.rcvtimeo = 20_000
        client.kc.shell_port = kernel.bind_to_random_port("tcp://127.0.0.1")
        try:
            assert asyncio.run(reply_beside_a_widget(client, kernel)) == "execute_reply"
        finally:
            client.kc.shell_channel.close()
            client.kc.context.destroy(linger=0)
