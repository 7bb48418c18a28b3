//! The client under TLS.

use crate::{calls::check, ports::serve, support::service};
use std::{error::Error, sync::Arc, time::Duration};
use trunkline::{Client, Shutdown, framing::Lines};
use trunkline_net::{
    listen::{StreamListener, Streams},
    tls::{TlsClient, TlsServer},
};

/// A server that is `localhost`, and a client that believes it.
fn pair() -> (TlsServer, TlsClient) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let chain = made.cert.pem();
    let server = TlsServer::from_pem(chain.as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    (server, TlsClient::with_root_pem(chain.as_bytes()).unwrap())
}

#[tokio::test]
async fn over_https_and_wss() {
    let (server, believing) = pair();
    let port = serve(service(), |http| http.tls(server)).await.port();
    for address in [format!("https://localhost:{port}"), format!("wss://127.0.0.1:{port}")] {
        check(&Client::builder(&address).tls(believing.clone()).connect().await.unwrap()).await;
    }
}

#[tokio::test]
async fn without_ever_asking_for_signs_of_life() {
    let (server, believing) = pair();
    let port = serve(service(), |http| http.tls(server)).await.port();
    // TLS agrees on HTTP/2 for the first
    for address in [format!("https://localhost:{port}"), format!("wss://localhost:{port}")] {
        let client = Client::builder(&address).tls(believing.clone());
        check(&client.keepalive(Duration::MAX).connect().await.unwrap()).await;
    }
}

#[tokio::test]
async fn over_tcp_under_tls() {
    let (server, believing) = pair();
    let socket = StreamListener::tcp("127.0.0.1:0").await.unwrap();
    let address = socket.address().unwrap();
    let streams = Streams::new(socket, service(), Arc::new(|_| Box::new(Lines::default()))).tls(server);
    tokio::spawn(streams.run(Shutdown::new()));
    check(&Client::builder(format!("tls+tcp://{address}")).tls(believing).connect().await.unwrap()).await;
    let error = Client::connect(format!("tls+tcp://{address}")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot agree with tls+tcp://{address} on a connection"));
    assert!(error.source().unwrap().to_string().contains("UnknownIssuer"));
}
