//! Servers that know of each other: who comes, who goes, and what they serve.

use crate::world::{Handler, LONG, Net, One, Running, World, gateway_of, until, work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use trunkline::{Attempt, Client, Cluster, Identity, Limits, NodeInfo, Router, Server, handler};

/// So seldom that in here nobody is heard of a second time, unless there is a reason.
const SELDOM: Duration = Duration::from_secs(300);

/// So often that who is silent is forgotten soon.
const OFTEN: Duration = Duration::from_millis(200);

/// A client of a server that has nothing but the network, and what that knows of the network.
fn watching(server: Server) -> (Client, Cluster) {
    let server = server.name("gateway").announced_every(SELDOM).limits(Limits::default().call_timeout(LONG));
    let cluster = server.cluster();
    (gateway_of(server, Identity::anonymous()), cluster)
}

/// Waits until there are servers of these names, all of whom have told what they serve.
async fn there(cluster: &Cluster, names: &[&str]) -> Vec<NodeInfo> {
    let wanted = |nodes: &[NodeInfo]| {
        nodes.iter().map(|node| &*node.name).eq(names.iter().copied())
            && nodes.iter().all(|node| node.catalog.is_some())
    };
    let found = timeout(2 * LONG, cluster.wait_for(wanted)).await;
    found.unwrap_or_else(|_| panic!("{names:?} and not {:?}", cluster.nodes()))
}

async fn start(net: &Net, name: &'static str, router: Router) -> Handler {
    Handler::with(net, router, |server| server.name(name).announced_every(SELDOM)).await
}

fn served(node: &NodeInfo) -> Vec<&str> {
    node.catalog.as_ref().unwrap().procedures.iter().map(|entry| &*entry.name).collect()
}

pub(crate) async fn who_joins_is_seen_and_who_leaves_is_missed_at_once<W: World>() {
    let world = W::any().await;
    let net = world.net();
    let add = handler(async |(a, b): (i64, i64)| a + b).description("Adds.").idempotent();
    let users =
        Router::new().procedure("users.add", add).procedure("users.own", handler(async || 1).internal());
    let users =
        Handler::with(&net, users, |server| server.name("users").version("1.2.3").announced_every(SELDOM));
    let users = users.await;
    let (_client, cluster) = watching(net.server(Router::new()));
    // it asks who is there, as it would have to wait for minutes otherwise
    let nodes = there(&cluster, &["gateway", "users"]).await;
    let [gateway, found] = &*nodes else { panic!("{nodes:?}") };
    assert_eq!((&*found.version, found.is_leaving), ("1.2.3", false));
    assert!(found.software.starts_with("trunkline "), "{found:?}");
    assert_eq!(served(found), ["users.add", "users.own"]);
    assert!(served(gateway).is_empty());
    let described = &found.catalog.as_ref().unwrap().procedures[0];
    assert_eq!(described.details.description.as_deref(), Some("Adds."));
    assert_eq!(described.signature.args.get("minItems"), Some(&json!(2)));
    assert!(described.details.idempotent);

    // who comes later says so
    let other = start(&net, "other", Router::new().procedure("other", async || 1)).await;
    there(&cluster, &["gateway", "other", "users"]).await;
    // on all servers it is the same; and networks are apart
    let (_elsewhere, elsewhere) = watching(net.server(Router::new()));
    there(&elsewhere, &["gateway", "gateway", "other", "users"]).await;
    let (_apart, apart) = watching(net.other().server(Router::new()));
    there(&apart, &["gateway"]).await;

    let since = Instant::now();
    users.stop().await;
    there(&cluster, &["gateway", "gateway", "other"]).await;
    other.stop().await;
    there(&cluster, &["gateway", "gateway"]).await;
    assert!(since.elapsed() < SELDOM, "nobody had to be missed first");
}

pub(crate) async fn who_is_killed_is_forgotten<W: World>() {
    let world = W::any().await;
    let net = world.net();
    let often = |server: Server| server.name("users").announced_every(OFTEN);
    let users = Handler::with(&net, Router::new().procedure("users", async || 1), often).await;
    let _other = start(&net, "other", Router::new()).await;
    let (_client, cluster) = watching(net.server(Router::new()));
    there(&cluster, &["gateway", "other", "users"]).await;
    users.kill().await;
    there(&cluster, &["gateway", "other"]).await;
}

pub(crate) async fn a_broker_that_comes_back_has_all_of_them<W: World>() {
    let mut world = W::own().await;
    let net = world.net();
    let often = |name: &'static str| move |server: Server| server.name(name).announced_every(OFTEN);
    let one = || Router::new().procedure("one", async || 1);
    let dies = Handler::with(&net, one(), often("dies")).await;
    let _stays = Handler::with(&net, one(), often("stays")).await;
    let lost = Running::default();
    let counting = lost.clone();
    let hooks = trunkline::Hooks::default().on_error(move |_| counting.send_modify(|count| *count += 1));
    let (_client, cluster) = watching(net.server(Router::new()).hooks(hooks));
    there(&cluster, &["dies", "gateway", "stays"]).await;
    world.lose().await;
    dies.kill().await;
    until(&lost, 1).await;
    there(&cluster, &["dies", "gateway", "stays"]).await;
    world.restore().await;
    there(&cluster, &["gateway", "stays"]).await;
    let _comes = Handler::with(&net, one(), often("comes")).await;
    there(&cluster, &["comes", "gateway", "stays"]).await;
}

#[derive(Deserialize, JsonSchema, Serialize)]
struct User {
    name: String,
}

/// The same, of a later version of the program.
mod later {
    #[derive(serde::Deserialize, schemars::JsonSchema, serde::Serialize)]
    pub(super) struct User {
        pub(super) name: String,
        pub(super) age: u8,
    }
}

async fn document(client: &Client) -> Value {
    let document: Value = client.call("rpc.discover", ()).await.unwrap();
    assert_eq!(document["info"], json!({"title": "gateway", "version": "0.0.0"}));
    document
}

fn names(document: &Value) -> Vec<&str> {
    document["methods"].as_array().unwrap().iter().map(|method| method["name"].as_str().unwrap()).collect()
}

pub(crate) async fn a_gateway_describes_what_the_others_serve<W: World>() {
    let world = W::any().await;
    let net = world.net();
    let here =
        Router::new().procedure("here", async || 1).procedure("shadowed", handler(async || 1).internal());
    let (client, cluster) = watching(net.server(here).discoverable());
    assert_eq!(names(&document(&client).await), ["here"]);

    let users = Router::new()
        .procedure("here", async || "hidden by the one that is here")
        .procedure("users.get", async |name: String| vec![User { name }])
        .procedure("users.list", async || vec![User { name: String::new() }])
        .procedure("users.own", handler(async || 1).internal());
    let early = start(&net, "users", users).await;
    let math = Router::new()
        .procedure("math.add", handler(async |(a, b): (i64, i64)| a + b).description("Adds."))
        .procedure("shadowed", async || "not found by way of the gateway");
    let math = start(&net, "math", math).await;
    there(&cluster, &["gateway", "math", "users"]).await;
    let all = document(&client).await;
    assert_eq!(names(&all), ["here", "math.add", "users.get", "users.list"]);
    assert_eq!(all["methods"][0]["result"]["schema"]["type"], "integer");
    assert_eq!(all["methods"][1]["description"], "Adds.");
    assert_eq!(all["methods"][2]["result"]["schema"]["items"], json!({"$ref": "#/components/schemas/User"}));
    assert_eq!(all["components"]["schemas"]["User"]["required"], json!(["name"]));

    // of a later version, which has one procedure less, and is later by the clock
    tokio::time::sleep(Duration::from_millis(20)).await;
    let users = Router::new().procedure("users.get", async |name: String| vec![later::User { name, age: 7 }]);
    let _late = start(&net, "users", users).await;
    let nodes = there(&cluster, &["gateway", "math", "users", "users"]).await;
    assert_ne!(nodes[2].catalog, nodes[3].catalog, "both are shown");
    let all = document(&client).await;
    assert_eq!(names(&all), ["here", "math.add", "users.get", "users.list"]);
    let schemas = &all["components"]["schemas"];
    let required = |at: usize| {
        let name = all["methods"][at]["result"]["schema"]["items"]["$ref"].as_str().unwrap();
        &schemas[name.rsplit_once('/').unwrap().1]["required"]
    };
    assert_eq!(required(2), &json!(["name", "age"]));
    assert_eq!(required(3), &json!(["name"]));

    early.stop().await;
    math.stop().await;
    there(&cluster, &["gateway", "users"]).await;
    assert_eq!(names(&document(&client).await), ["here", "users.get"]);
}

/// It is not described any more when it takes no more calls.
pub(crate) async fn who_stops_is_seen_to_stop<W: World>() {
    let world = W::any().await;
    let (net, running, go) = (world.net(), Running::default(), watch::Sender::new(false));
    let (client, cluster) = watching(net.server(Router::new()));
    let users = start(&net, "users", work(&running, &go)).await;
    there(&cluster, &["gateway", "users"]).await;
    assert_eq!(cluster.catalog().procedures.len(), 1);
    let calling = client.clone();
    let call = tokio::spawn(async move { calling.call::<u64>("work", 7).timeout(LONG).await });
    until(&running, 1).await;
    let stopped = users.stop();
    let leaving = cluster.wait_for(|nodes| nodes.iter().any(|node| node.is_leaving));
    let nodes = timeout(2 * LONG, leaving).await.unwrap();
    assert_eq!((nodes[1].load.running, nodes[1].load.calls, nodes[1].load.faults), (1, 1, 0));
    assert!(cluster.catalog().procedures.is_empty());
    go.send_replace(true);
    assert_eq!(call.await.unwrap(), Ok(7));
    stopped.await;
    there(&cluster, &["gateway"]).await;
}

pub(crate) async fn the_first_call_is_repeated_of_what_was_announced_to_be_idempotent<W: World>() {
    let mut world = W::own().await;
    let (net, running, go) = (world.net(), Running::default(), watch::Sender::new(false));
    let once = |running: &Running, go: &watch::Sender<bool>| {
        let (running, go) = (running.clone(), go.subscribe());
        let once = move |attempt: Attempt| {
            let (one, mut go) = (One::of(&running), go.clone());
            async move {
                let _one = one;
                let _ = go.wait_for(|go| *go).await;
                attempt.is_repeated()
            }
        };
        Router::new().procedure("once", handler(once).idempotent())
    };
    let users = start(&net, "users", once(&running, &go)).await;
    let (client, cluster) = watching(net.server(Router::new()));
    there(&cluster, &["gateway", "users"]).await;
    let call = tokio::spawn(async move { client.call::<bool>("once", ()).timeout(LONG).await });
    until(&running, 1).await;
    world.lose().await;
    users.kill().await;
    world.restore().await;
    go.send_replace(true);
    let _other = start(&net, "users", once(&running, &go)).await;
    assert_eq!(call.await.unwrap(), Ok(true));
}

/// By the clock: what is forgotten when.
#[tokio::test(start_paused = true)]
async fn who_is_silent_for_three_times_as_long_is_forgotten() {
    let net = Net::new();
    let users = Handler::with(&net, Router::new(), |server| server.name("users")).await;
    let server = net.server(Router::new()).name("watches");
    let cluster = server.cluster();
    let bound = server.bind().await.unwrap();
    tokio::spawn(bound.serve());
    there(&cluster, &["users", "watches"]).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(there(&cluster, &["users", "watches"]).await[0].uptime.as_secs(), 3600);
    users.kill().await;
    let since = Instant::now();
    there(&cluster, &["watches"]).await;
    assert!((10..=15).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_only_looks_is_not_seen() {
    let net = Net::new();
    let _users = start(&net, "users", Router::new().procedure("one", async || 1)).await;
    let server = net.server(Router::new()).unannounced();
    let cluster = server.cluster();
    let bound = server.bind().await.unwrap();
    let nodes = there(&cluster, &["users"]).await;
    assert_eq!(served(&nodes[0]), ["one"]);
    tokio::spawn(bound.serve_until(async {})).await.unwrap();
    assert!(cluster.nodes().is_empty(), "who has left knows of nobody");
    let (_client, cluster) = watching(net.server(Router::new()));
    there(&cluster, &["gateway", "users"]).await;
}
