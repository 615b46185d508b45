//! One port for HTTP/1.1 and HTTP/2, with and without TLS.

use super::{KEY, Server, config};
use annosync::emulator::{Config, tls};
use reqwest::{Certificate, Client, Method, Version};
use serde_json::{Value, json};

pub(super) const CERTIFICATE: &[u8] = include_bytes!("certificate.pem");
pub(super) const PRIVATE_KEY: &[u8] = include_bytes!("key.pem");

#[tokio::test]
async fn one_port_serves_both_protocols() {
    let server = Server::start(config()).await;
    let url = format!("{}/v2/users/me", server.emulator.url());
    for (client, version) in [
        (&server.json, Version::HTTP_11),
        (&server.grpc, Version::HTTP_2),
    ] {
        let response = client
            .get(&url)
            .header("authorization", KEY)
            .send()
            .await
            .unwrap();
        assert_eq!(
            (response.status().as_u16(), response.version()),
            (200, version)
        );
    }
    let answer = server
        .call("GetUser", &json!({"user_app_id": {"user_id": "me"}}))
        .await;
    assert_eq!(answer["user"]["id"], "owner");
}

#[tokio::test]
async fn tls_serves_both_protocols() {
    let config = Config {
        tls: Some(tls(CERTIFICATE, PRIVATE_KEY).unwrap()),
        ..config()
    };
    let trusted = Certificate::from_pem(CERTIFICATE).unwrap();
    let server = Server::with(config, |builder| builder.tls_certs_only([trusted.clone()])).await;
    assert!(server.emulator.url().starts_with("https://"));
    let posted = json!({"inputs": [{"id": "i", "data": {"image": {"base64": "aGVsbG8="}}}]});
    let answer = server.call("PostInputs", &posted).await;
    let file = answer["inputs"][0]["data"]["image"]["url"]
        .as_str()
        .unwrap();
    assert!(file.starts_with(&server.emulator.url()), "{file}");
    let stored = server.json.get(file).send().await.unwrap();
    assert_eq!(stored.bytes().await.unwrap(), "hello");
    let (http, listed) = server.rest(Method::GET, "/inputs", &Value::Null).await;
    assert_eq!(
        (http, &listed["inputs"][0]["data"]["image"]["url"]),
        (200, &json!(file))
    );

    let plain = server.emulator.url().replace("https", "http");
    let client = Client::builder().no_proxy().build().unwrap();
    assert!(
        client.get(plain).send().await.is_err(),
        "plain text is refused"
    );
}

#[test]
fn unusable_certificates_are_refused() {
    for (certificate, key, expected) in [
        (
            &b"nothing"[..],
            PRIVATE_KEY,
            "the file of the certificate has none",
        ),
        (
            CERTIFICATE,
            &b"nothing"[..],
            "the private key is not valid PEM",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            PRIVATE_KEY,
            "certificate and private key cannot be used",
        ),
    ] {
        assert_eq!(tls(certificate, key).unwrap_err().to_string(), expected);
    }
}
