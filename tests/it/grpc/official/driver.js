// Runs the documents' snippets for NodeJS: each line of stdin is one as JSON, and a line of stdout says how it ended.

const readline = require("readline");
const vm = require("vm");
const client = require("clarifai-nodejs-grpc");

// What the documents tell the reader to insert before a snippet.
const metadata = new client.grpc.Metadata();
metadata.set("authorization", "Key owner-key");
const shared = client.ClarifaiStub.grpc();
const quiet = { log() {} };

function run({ name, code }) {
    return new Promise((resolve, reject) => {
        let calls = 0;
        // The official stub, whose callbacks are watched: a snippet does not say when it has ended, and throws in them.
        const watched = (stub) => new Proxy(stub, {
            get: (_, method) => (request, headers, callback) => {
                calls += 1;
                stub[method](request, headers, (error, response) => {
                    try {
                        callback(error, response);
                        resolve({ code: response.status.code, annotations: (response.annotations || []).length });
                    } catch (thrown) {
                        reject(thrown);
                    }
                });
            },
        });
        const required = () => ({ grpc: client.grpc, ClarifaiStub: { grpc: () => watched(client.ClarifaiStub.grpc()) } });
        // In a block, names of the snippet may be those of the parameters.
        const parameters = ["require", "stub", "metadata", "console"];
        const snippet = vm.compileFunction(`{${code}\n}`, parameters, { filename: name });
        snippet(required, watched(shared), metadata, quiet);
        if (calls !== 1) {
            reject(new Error(`${calls} calls`));
        }
    });
}

async function main() {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const ending = await run(JSON.parse(line)).catch((error) => ({ error: error.stack }));
        console.log(JSON.stringify(ending));
    }
    process.exit(0);
}

main();
