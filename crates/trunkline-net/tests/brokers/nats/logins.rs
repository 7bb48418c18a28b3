//! Who may speak to a server, and how it is told if somebody may not.

use super::server::Server;
use crate::{
    log::Log,
    peer::{PING, Peer},
};
use std::{fs, sync::Arc};
use trunkline_net::{
    broker::{Broker, Nats, Unsent},
    tls::TlsClient,
};

fn broker(uri: &str) -> Arc<dyn Broker> {
    Arc::new(Nats::new(uri).unwrap())
}

/// Somebody who gets in is heard.
async fn gets_in(broker: &Arc<dyn Broker>) {
    let mut peer = Peer::serving(broker, "n", 1, &[PING]).await;
    peer.ask("a").unwrap();
    peer.hears(&["a"]).await;
}

#[tokio::test]
async fn a_wrong_password_is_told_and_no_password_is() {
    let (log, _logging) = Log::of_all();
    let server = Server::start(&["--user", "us er", "--pass", "r1ght@word"]);
    let mut all = String::new();
    let at = |login: &str| format!("nats://{login}127.0.0.1:{}", server.port);
    for login in ["us%20er:wr0ng%40word@", "wr0ngtoken@", ""] {
        let mut refused = Peer::attach_at_once(&broker(&at(login)), "n", 1);
        let address = format!("127.0.0.1:{}", server.port);
        log.until_it_has(&["WARN", "refuses the user, password or token", &address]).await;
        all += &log.take();
        assert_eq!(refused.ask("a"), Err(Unsent::Lost));
        assert_eq!(refused.rest(), [""; 0]);
        refused.line().leave().await;
    }
    gets_in(&broker(&at("us%20er:r1ght%40word@"))).await;
    all += &log.text();
    for secret in ["r1ght", "wr0ngword", "wr0ng@", "wr0ng%40", "wr0ngtoken"] {
        assert!(!all.contains(secret), "{secret} is logged");
    }
}

#[tokio::test]
async fn a_token_lets_in() {
    let server = Server::start(&["--auth", "t0ken"]);
    gets_in(&broker(&format!("nats://t0ken@127.0.0.1:{}", server.port))).await;
}

#[tokio::test]
async fn who_may_not_hear_what_it_says_is_told_what_is_missing() {
    let (log, _logging) = Log::of_all();
    let folder = tempdir();
    let config = folder.0.join("nats.conf");
    let users =
        r#"authorization { users: [ { user: "u", password: "p", permissions: { subscribe: "other.>" } } ] }"#;
    fs::write(&config, users).unwrap();
    let server = Server::start(&["--config", config.to_str().unwrap()]);
    let peer = Peer::attach_at_once(&broker(&format!("nats://u:p@127.0.0.1:{}", server.port)), "n", 1);
    log.until_it_has(&["WARN", "NATS refuses something", "Permissions Violation"]).await;
    assert_eq!(peer.ask("a"), Err(Unsent::Lost));
}

#[tokio::test]
async fn under_tls_only_a_server_that_proves_itself_is_believed() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = tempdir();
    let (cert, key) = (folder.0.join("cert.pem"), folder.0.join("key.pem"));
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let server = Server::start(&["--tls", "--tlscert", cert, "--tlskey", key]);
    let uri = format!("tls://127.0.0.1:{}", server.port);
    let tls = TlsClient::with_root_pem(made.cert.pem().as_bytes()).unwrap();
    gets_in(&(Arc::new(Nats::new(&uri).unwrap().tls(tls)) as Arc<dyn Broker>)).await;

    let (log, _logging) = Log::of_all();
    let doubtful = Peer::attach_at_once(&broker(&uri), "n", 1);
    log.until_it_has(&["WARN", "NATS is not reached", "invalid peer certificate"]).await;
    assert_eq!(doubtful.ask("a"), Err(Unsent::Lost));
}

/// A folder that is there as long as the test.
struct Folder(std::path::PathBuf);

fn tempdir() -> Folder {
    let folder = std::env::temp_dir().join(format!("trunkline-nats-{:016x}", rand::random::<u64>()));
    fs::create_dir(&folder).unwrap();
    Folder(folder)
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
