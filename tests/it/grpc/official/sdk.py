"""The official SDK for Python, and its gRPC client, against the emulator: uploads, listings, patches, deletes."""

import sys
from pathlib import Path
from urllib.parse import urlparse

from clarifai.client.app import App
from clarifai.client.input import Inputs
from clarifai.client.user import User
from clarifai.datasets.upload.base import ClarifaiDataLoader
from clarifai.datasets.upload.features import VisualDetectionFeatures
from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc
from clarifai_grpc.grpc.api.status import status_code_pb2

URL = sys.argv[1]
USER = {"user_id": "owner", "base_url": URL, "pat": "owner-key"}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c636400020000000500017a5eab3f0000000049454e44ae426082"
)


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def ids(resources):
    return [resource.id for resource in resources]


def sdk():
    User(**USER).create_app(app_id="second", base_workflow="Empty")
    equal(ids(User(**USER).list_apps()), ["app", "second"])
    app = App(app_id="second", **USER)
    inputs = Inputs(app_id="second", **USER)
    dataset = app.create_dataset(dataset_id="photos", description="all of them")
    Path("dog").mkdir()
    Path("dog/rex.png").write_bytes(PNG)

    posted = [
        inputs.upload_from_file("file", image_file="dog/rex.png", dataset_id="photos", labels=["cat"]),
        inputs.upload_from_bytes("bytes", image_bytes=PNG),
        inputs.upload_from_url("url", image_url="https://example.com/a.jpg"),
        inputs.upload_text("text", raw_text="hello"),
    ]
    for _, answer in posted:
        equal(answer.status.code, status_code_pb2.SUCCESS)
        assert not answer.inputs[0].data.image.base64, "the file is echoed"
    equal(ids(inputs.list_inputs()), ["file", "bytes", "url", "text"])
    equal(ids(inputs.list_inputs(dataset_id="photos")), ["file"])
    inputs.delete_inputs([resources_pb2.Input(id="url")])
    equal(inputs.download_inputs(list(inputs.list_inputs())), [PNG, PNG])
    inputs._bulk_upload([inputs.get_text_input(f"text-{i}", "a") for i in range(5)], batch_size=2)
    dataset.upload_from_folder("dog", input_type="image", labels=True)
    equal(ids(dataset.list_inputs()), ["file", "rex"])

    box = inputs.get_bbox_proto("file", "cat", [0.1, 0.2, 0.8, 0.9], "cat", "box")
    area = inputs.get_mask_proto("file", "dog", [[0.1, 0.2], [0.3, 0.4], [0.5, 0.1]], "dog", "area")
    equal(inputs.upload_annotations([box, area]), [])
    patch = inputs.get_bbox_proto("file", "cat", [0.1, 0.2, 0.5, 0.9], "cat", "box")
    inputs.patch_annotations([patch], action="merge")
    listed = {a.id: a for a in inputs.list_annotations(batch_input=[resources_pb2.Input(id="file")])}
    edges = listed["box"].data.regions[0].region_info.bounding_box
    equal([round(edges.right_col, 3), round(edges.top_row, 3)], [0.5, 0.2])
    inputs.patch_inputs([inputs.get_text_input("text", "hello", labels=["greeting"])], action="merge")
    inputs.patch_concepts(["cat"], labels=["Cat"])
    names = {concept.id: concept.name for concept in app.list_concepts()}
    equal(names, {"cat": "Cat", "dog": "dog", "greeting": "greeting"})
    inputs.delete_annotations(["file"], ["box"])
    left = ids(inputs.list_annotations(batch_input=[resources_pb2.Input(id="file")]))
    assert "area" in left and "box" not in left, left
    inputs.delete_inputs(list(inputs.list_inputs()))
    equal(ids(inputs.list_inputs()), [])
    app.delete_dataset("photos")


class Boxes(ClarifaiDataLoader):
    """Two pictures with two boxes each, for uploads of inputs with annotations."""

    task = "visual_detection"

    def load_data(self):
        pass

    def __len__(self):
        return 2

    def __getitem__(self, at):
        boxes = [[0.1, 0.1, 0.5, 0.5], [0.2, 0.2, 0.6, 0.6]]
        return VisualDetectionFeatures("dog/rex.png", ["cat", "dog"], boxes, id=str(at))


def more_of_the_sdk():
    """What users call beside uploads of single files."""
    user = User(**USER)
    user.create_app(app_id="third", base_workflow="Empty")
    user.patch_app("third", description="tests", is_template=True)
    app = user.app("third")
    equal(app.description, "tests")
    inputs = app.inputs()
    equal(user.get_user_info().user.id, "owner")
    app.create_concepts(["cat", "dog"], ["Cat", "Dog"])
    equal(ids(app.list_concepts()), ["cat", "dog"])

    texts = Path("texts")
    texts.mkdir()
    for i in range(3):
        (texts / f"text{i}.txt").write_text(f"text {i}")
    Path("texts.csv").write_text("inputid,input,concepts\nrow1,one,cat\nrow2,two,dog\n")
    app.create_dataset("first", notes="n")
    app.create_dataset("second")
    first, second = app.dataset("first"), app.dataset("second")
    first.upload_from_folder("texts", input_type="text", labels=False)
    second.upload_from_csv("texts.csv", input_type="text", csv_type="raw", labels=True)
    equal(sorted(ids(first.list_inputs())), ["text0", "text1", "text2"])
    equal(sorted(ids(second.list_inputs())), ["row1", "row2"])
    equal(app.get_input_count(), 5)
    second.merge_dataset("first")
    equal(len(list(inputs.list_inputs(dataset_id="second"))), 5)
    app.patch_dataset("first", description="texts", action="merge")
    equal([(it.id, it.description) for it in app.list_datasets()], [("first", "texts"), ("second", "")])
    equal(inputs.get_input("row1").data.concepts[0].id, "cat")

    proto = inputs.get_input_from_url("picture", image_url="https://example.com/b.jpg", labels=["cat"], metadata=None)
    inputs.upload_inputs([proto])
    box = inputs.get_bbox_proto("picture", "dog", [0.1, 0.2, 0.8, 0.9], "dog", "box")
    equal(inputs.upload_annotations([box]), [])
    inputs.delete_annotations(["picture"])
    equal(len(list(inputs.list_annotations(batch_input=[resources_pb2.Input(id="picture")]))), 1)
    app.create_dataset("boxes").upload_dataset(Boxes())
    for at in range(2):
        annotations = inputs.list_annotations(batch_input=[resources_pb2.Input(id=f"boxes-{at}")])
        found = [it.data.regions[0].data.concepts[0].id for it in annotations if it.data.regions]
        equal(sorted(found), ["cat", "dog"])
    user.delete_app("third")
    equal("third" in ids(user.list_apps()), False)


def grpc():
    address = urlparse(URL)
    metadata = (("authorization", "Key owner-key"),)
    app = resources_pb2.UserAppIDSet(user_id="owner", app_id="app")
    for name in ["gRPC", "JSON"]:
        # The kind of the last channel decides how stubs read answers.
        if name == "JSON":
            channel = ClarifaiChannel.get_json_channel(URL)
        else:
            channel = ClarifaiChannel.get_insecure_grpc_channel(address.hostname, address.port)
        stub = service_pb2_grpc.V2Stub(channel)
        concept = resources_pb2.Concept(id="car", value=1)
        posted = stub.PostAnnotations(
            service_pb2.PostAnnotationsRequest(
                user_app_id=app,
                annotations=[
                    resources_pb2.Annotation(
                        id=f"{name}-{i}", input_id="input", data=resources_pb2.Data(concepts=[concept])
                    )
                    for i in range(2)
                ],
            ),
            metadata=metadata,
        )
        equal(posted.status.code, status_code_pb2.SUCCESS)
        equal([a.status.code for a in posted.annotations], [status_code_pb2.ANNOTATION_SUCCESS] * 2)
        listed = stub.ListAnnotations(
            service_pb2.ListAnnotationsRequest(user_app_id=app, input_ids=["input"], per_page=100),
            metadata=metadata,
        )
        mine = [a.id for a in listed.annotations if a.id.startswith(name)]
        equal(mine, [f"{name}-0", f"{name}-1"])
        deleted = stub.DeleteAnnotations(
            service_pb2.DeleteAnnotationsRequest(user_app_id=app, input_ids=["input"], ids=[mine[0]]),
            metadata=metadata,
        )
        equal(deleted.status.code, status_code_pb2.SUCCESS)
        missing = stub.GetAnnotation(
            service_pb2.GetAnnotationRequest(user_app_id=app, input_id="input", annotation_id=mine[0]),
            metadata=metadata,
        )
        equal(missing.status.description, "Resource does not exist")


sdk()
more_of_the_sdk()
grpc()
print("all calls succeeded")
