//! The endpoints of the kit of streams: as much of an Ethereum node as its clients
//! need to subscribe.

use crate::demo;
use futures_util::{
    FutureExt, Stream, StreamExt,
    stream::{self, BoxStream},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{error::Error, future::ready, sync::Arc, time::Duration};
use tokio::sync::watch;
use trunkline::{Fault, FaultKind, Router, Server, State, handler};

/// Whose logs there are: that of blocks with even numbers, and that of the others.
const CONTRACTS: [&str; 2] =
    ["0x00000000000000000000000000000000000000aa", "0x00000000000000000000000000000000000000bb"];

/// A chain that grows for as long as the program runs.
struct Chain {
    /// The number of the newest block.
    head: watch::Sender<u64>,
    /// How many streams are open.
    open: watch::Sender<usize>,
}

/// A stream of a chain, for as long as it lives.
struct Open(Arc<Chain>);

impl Open {
    fn new(chain: &Arc<Chain>) -> Self {
        chain.open.send_modify(|open| *open += 1);
        Self(chain.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

impl Chain {
    fn new() -> Arc<Self> {
        Arc::new(Self { head: watch::Sender::new(1), open: watch::Sender::new(0) })
    }

    /// The numbers of the blocks that are still to come, one by one.
    fn blocks(self: &Arc<Self>) -> impl Stream<Item = u64> + use<> {
        let heads = self.head.subscribe();
        let next = *heads.borrow() + 1;
        stream::unfold((Open::new(self), heads, next), |(open, mut heads, next)| async move {
            heads.wait_for(|head| *head >= next).await.ok()?;
            Some((next, (open, heads, next + 1)))
        })
    }
}

/// What is subscribed to: `["newHeads"]`, `["logs", {"address": …}]`.
#[derive(Deserialize, schemars::JsonSchema)]
struct Subscribe {
    kind: String,
    filter: Option<Filter>,
}

#[derive(Default, Deserialize, schemars::JsonSchema)]
struct Filter {
    /// Whose logs are wanted; those of all otherwise.
    #[serde(default)]
    address: Addresses,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
enum Addresses {
    One(String),
    Several(Vec<String>),
}

impl Default for Addresses {
    fn default() -> Self {
        Self::Several(vec![])
    }
}

impl Filter {
    fn wants(&self, log: &Value) -> bool {
        let wanted = match &self.address {
            Addresses::One(address) => std::slice::from_ref(address),
            Addresses::Several(addresses) => addresses,
        };
        let is_it =
            |wanted: &String| log["address"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(wanted));
        wanted.is_empty() || wanted.iter().any(is_it)
    }
}

fn hash(kind: u8, number: u64) -> String {
    format!("0x{kind:02x}{number:062x}")
}

fn block(number: u64) -> Value {
    let zeros = |digits: usize| format!("0x{:0digits$}", 0);
    json!({
        "number": format!("{number:#x}"),
        "hash": hash(0xb, number),
        "parentHash": hash(0xb, number - 1),
        "timestamp": format!("{number:#x}"),
        "nonce": zeros(16),
        "difficulty": "0x0",
        "gasLimit": "0x1c9c380",
        "gasUsed": "0x0",
        "baseFeePerGas": "0x7",
        "miner": CONTRACTS[0],
        "extraData": "0x",
        "sha3Uncles": zeros(64),
        "logsBloom": zeros(512),
        "transactionsRoot": zeros(64),
        "stateRoot": zeros(64),
        "receiptsRoot": zeros(64),
        "size": "0x1",
        "transactions": [],
        "uncles": [],
    })
}

fn log(number: u64) -> Value {
    json!({
        "address": CONTRACTS[usize::from(number % 2 == 1)],
        "topics": [hash(0xee, 0)],
        "data": format!("0x{number:064x}"),
        "blockNumber": format!("{number:#x}"),
        "blockHash": hash(0xb, number),
        "transactionHash": hash(0xf, number),
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": false,
    })
}

type Items = BoxStream<'static, Result<Value, Fault>>;

async fn subscribe(chain: State<Arc<Chain>>, Subscribe { kind, filter }: Subscribe) -> Result<Items, Fault> {
    let blocks = chain.blocks();
    Ok(match &*kind {
        "newHeads" => blocks.map(|number| Ok(block(number))).boxed(),
        "newPendingTransactions" => blocks.map(|number| Ok(hash(0xf, number).into())).boxed(),
        "logs" => {
            let filter = filter.unwrap_or_default();
            blocks.map(log).filter(move |log| ready(filter.wants(log))).map(Ok).boxed()
        }
        // what no node has: streams with an end
        "kit.ends" => blocks.map(|number| Ok(block(number))).take(2).boxed(),
        "kit.breaks" => {
            let broken = async { Err(Fault::from("the kit has broken it off")) };
            blocks.map(|number| Ok(block(number))).take(2).chain(broken.into_stream()).boxed()
        }
        _ => return Err(Fault::new(FaultKind::InvalidArgs, format!("no `{kind}` to subscribe to"))),
    })
}

async fn block_by_number(
    chain: State<Arc<Chain>>,
    (number, _whole): (String, Option<bool>),
) -> Result<Option<Value>, Fault> {
    let head = *chain.head.borrow();
    let number = match number.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16)
            .map_err(|_| Fault::new(FaultKind::InvalidArgs, "that is no number of a block"))?,
        None => head,
    };
    Ok((1..=head).contains(&number).then(|| block(number)))
}

/// Gives the number when so many streams are open.
async fn streams(chain: State<Arc<Chain>>, (number,): (usize,)) -> usize {
    chain.open.subscribe().wait_for(|open| *open == number).await.map_or(0, |open| *open)
}

fn router(chain: Arc<Chain>) -> Router {
    Router::new()
        .state(chain)
        .procedure(
            "eth_subscribe",
            handler(subscribe).subscription("eth_subscription", "eth_unsubscribe").items_only(),
        )
        .procedure("eth_chainId", async || "0x539")
        .procedure("net_version", async || "1337")
        .procedure("eth_blockNumber", async |chain: State<Arc<Chain>>| format!("{:#x}", *chain.head.borrow()))
        .procedure("eth_getBlockByNumber", block_by_number)
        .procedure("kit.streams", streams)
}

/// Serves the chain, and the demo service, until the process is ended.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let chain = Chain::new();
    let router = demo::router().merge(router(chain.clone()));
    let server = Server::new(router).name("streams").discoverable().http("127.0.0.1:0").bind().await?;
    let [http] = *server.addresses() else { return Err("one listener was bound".into()) };
    println!("{}", json!({"http": format!("http://{http}/"), "ws": format!("ws://{http}/")}));
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            chain.head.send_modify(|head| *head += 1);
        }
    });
    server.serve().await;
    Ok(())
}
