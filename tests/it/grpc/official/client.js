// The official client for NodeJS against the emulator: the calls of the documents' examples.

const assert = require("assert");
const { ClarifaiStub, grpc } = require("clarifai-nodejs-grpc");

const stub = ClarifaiStub.grpc();
const metadata = new grpc.Metadata();
metadata.set("authorization", "Key owner-key");
const app = { user_app_id: { user_id: "owner", app_id: "app" } };

function call(name, request) {
    return new Promise((resolve, reject) => {
        stub[name]({ ...app, ...request }, metadata, (error, response) => (error ? reject(error) : resolve(response)));
    });
}

async function succeed(name, request) {
    const response = await call(name, request);
    assert.strictEqual(response.status.code, 10000, `${name}: ${JSON.stringify(response.status)}`);
    return response;
}

function box(right) {
    return [{
        id: "region",
        region_info: { bounding_box: { top_row: 0, left_col: 0, bottom_row: 0.5, right_col: right } },
        data: { concepts: [{ id: "tree", value: 1 }, { id: "water", value: 0 }] },
    }];
}

async function main() {
    await succeed("PostInputs", { inputs: [{ id: "input", data: { image: { url: "https://example.com/a.jpg" } } }] });
    const annotation = { id: "a", input_id: "input", data: { regions: box(0.5) }, annotation_info: { fields: {} } };
    const posted = await succeed("PostAnnotations", { annotations: [annotation] });
    assert.strictEqual(posted.annotations[0].status.code, 24150);
    await succeed("PatchAnnotations", {
        action: "merge", annotations: [{ id: "a", input_id: "input", data: { regions: box(0.75) } }],
    });
    const listed = await succeed("ListAnnotations", { input_ids: ["input"], ids: ["a"], per_page: 10 });
    const [region] = listed.annotations[0].data.regions;
    assert.strictEqual(region.region_info.bounding_box.right_col, 0.75);
    assert.deepStrictEqual(region.data.concepts.map(({ id, value }) => [id, value]), [["tree", 1], ["water", 0]]);
    await succeed("PatchAnnotations", {
        action: "overwrite", annotations: [{ id: "a", input_id: "input", data: {}, status: { code: 24151 } }],
    });
    await succeed("DeleteAnnotation", { input_id: "input", annotation_id: "a" });
    const missing = await call("GetAnnotation", { input_id: "input", annotation_id: "a" });
    assert.strictEqual(missing.status.code, 11101);
    const inputs = await succeed("ListInputs", { page: 1, per_page: 10 });
    assert.deepStrictEqual(inputs.inputs.map(({ id }) => id), ["input"]);
    await succeed("DeleteInputs", { ids: ["input"] });
    console.log("all calls succeeded");
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
