//! The service of the kit for the dialect of @therms.

mod service;

use self::service::Events;
use std::error::Error;
use trunkline::{Server, Therms};

/// Serves calls on both addresses until the process is ended.
pub(crate) async fn serve(addresses: &[&str]) -> Result<(), Box<dyn Error>> {
    let events = Events::default();
    let therms =
        Therms::default().client_messages(service::CLIENT_MESSAGE).identity_changes(service::IDENTITY_CHANGE);
    let server = Server::new(service::router(&events)).therms(therms).hooks(events.hooks());
    let server = addresses.iter().fold(server, |server, address| server.http(*address));
    let server = server.bind().await?;
    println!("ready {:?}", server.addresses());
    server.serve().await;
    Ok(())
}
