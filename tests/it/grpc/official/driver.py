"""Runs the documents' snippets for Python: each line of stdin is one as JSON, and a line of stdout says how it ended."""

import contextlib
import io
import json
import sys
import traceback

from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc
from clarifai_grpc.grpc.api.status import status_code_pb2, status_pb2

# What the documents tell the reader to insert before a snippet.
SETUP = {
    "resources_pb2": resources_pb2,
    "service_pb2": service_pb2,
    "status_code_pb2": status_code_pb2,
    "status_pb2": status_pb2,
    "stub": service_pb2_grpc.V2Stub(ClarifaiChannel.get_grpc_channel()),
    "metadata": (("authorization", "Key owner-key"),),
    "userDataObject": resources_pb2.UserAppIDSet(user_id="owner", app_id="app"),
}


def run(name, code):
    names = dict(SETUP)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, name, "exec"), names)
    [response] = [value for name, value in names.items() if name.endswith("_response")]
    return {"code": response.status.code, "annotations": len(getattr(response, "annotations", []))}


for line in sys.stdin:
    try:
        ending = run(**json.loads(line))
    except Exception:
        ending = {"error": traceback.format_exc()}
    print(json.dumps(ending), flush=True)
