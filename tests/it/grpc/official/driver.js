// Runs the documents' snippets for NodeJS and with `fetch`: each line of stdin is one as JSON, and a line of stdout says how it ended.

const readline = require("readline");
const vm = require("vm");
const client = require("clarifai-nodejs-grpc");

// What the documents tell the reader to insert before a snippet.
const metadata = new client.grpc.Metadata();
metadata.set("authorization", "Key owner-key");
const shared = client.ClarifaiStub.grpc();

function ending({ status, annotations }) {
    return { code: status.code, annotations: (annotations || []).length };
}

function run({ name, code }) {
    return new Promise((resolve, reject) => {
        let calls = 0;
        const passOn = (url, options) => {
            calls += 1;
            return fetch(url.replace("https://api.clarifai.com", process.env.CLARIFAI_API_BASE), options);
        };
        // Snippets with `fetch` print the answer, or `error` and the error, at their end. The others print annotations.
        const printed = { log: (text, error) => (error ? reject(error) : resolve(ending(JSON.parse(text)))) };
        // The official stub, whose callbacks are watched: a snippet does not say when it has ended, and throws in them.
        const watched = (stub) => new Proxy(stub, {
            get: (_, method) => (request, headers, callback) => {
                calls += 1;
                stub[method](request, headers, (error, response) => {
                    try {
                        callback(error, response);
                        resolve(ending(response));
                    } catch (thrown) {
                        reject(thrown);
                    }
                });
            },
        });
        const required = () => ({ grpc: client.grpc, ClarifaiStub: { grpc: () => watched(client.ClarifaiStub.grpc()) } });
        // In a block, names of the snippet may be those of the parameters.
        const parameters = ["require", "stub", "metadata", "console", "fetch"];
        const snippet = vm.compileFunction(`{${code}\n}`, parameters, { filename: name });
        const isFetch = code.includes("\nfetch(");
        snippet(required, watched(shared), metadata, isFetch ? printed : { log() {} }, passOn);
        if (calls !== 1) {
            reject(new Error(`${calls} calls`));
        }
    });
}

async function main() {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const ended = await run(JSON.parse(line)).catch((error) => ({ error: error.stack }));
        console.log(JSON.stringify(ended));
    }
    process.exit(0);
}

main();
