//! `amqps://`.

use crate::{
    contract::network,
    log::Log,
    peer::{PING, Peer},
};
use bytes::Bytes;
use std::{fs, sync::Arc};
use trunkline_net::{
    broker::{Amqp, Broker, Unsent},
    tls::TlsClient,
};
use trunkline_services::RabbitMq;

#[tokio::test]
async fn under_tls_only_a_broker_that_proves_itself_is_believed() {
    let server = RabbitMq::start().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = std::env::temp_dir().join(format!("trunkline-amqps-{:016x}", rand::random::<u64>()));
    fs::create_dir(&folder).unwrap();
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let uri = server.listen_to_tls(&certificate, &key).unwrap();
    let tls = TlsClient::with_root_pem(made.cert.pem().as_bytes()).unwrap();
    let (believed, network): (Arc<dyn Broker>, _) = (Arc::new(Amqp::new(&uri).unwrap().tls(tls)), network());
    let mut serving = Peer::serving(&believed, &network, 9, &[PING]).await;
    let mut gateway = Peer::attach(&(Arc::new(Amqp::new(&server.uri()).unwrap()) as _), &network, 9).await;
    let body = Bytes::from(vec![b'x'; 1 << 20]);
    gateway.ask_with(body.clone()).unwrap();
    let heard = serving.next().await;
    assert_eq!(heard.body, body);
    serving.line().answer(&heard.reply_to, "id", body.clone()).unwrap();
    assert_eq!(gateway.next().await.body, body);

    let (log, _guard) = Log::new();
    let doubtful = Peer::attach_at_once(&(Arc::new(Amqp::new(&uri).unwrap()) as _), &network, 1);
    let said = log.until_it_has(&["RabbitMQ cannot be used"]).await;
    assert!(said.contains("certificate"), "{said}");
    assert_eq!(doubtful.ask("a"), Err(Unsent::Lost));
    fs::remove_dir_all(&folder).unwrap();
}
