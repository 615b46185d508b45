"""Uploads a text, and labels the inputs that are not labelled yet. An ordinary script: it does not know the emulator."""

import os

from clarifai.client.input import Inputs
from clarifai_grpc.grpc.api.resources_pb2 import Annotation, Concept, Data

LABEL = "to-check"


def main():
    inputs = Inputs(user_id=os.environ["CLARIFAI_USER_ID"], app_id=os.environ["CLARIFAI_APP_ID"])
    inputs.upload_text("news-1", raw_text="Trams run again")
    labelled = {
        annotation.input_id
        for annotation in inputs.list_annotations()
        if annotation.data.concepts
    }
    missing = [found for found in inputs.list_inputs() if found.id not in labelled]
    data = Data(concepts=[Concept(id=LABEL, value=1)])
    failed = inputs.upload_annotations([Annotation(input_id=found.id, data=data) for found in missing])
    assert not failed, failed
    print(f"{len(missing)} labelled")


if __name__ == "__main__":
    main()
