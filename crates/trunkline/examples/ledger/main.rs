//! Who is called and who calls in `cargo xtask ledger`, which starts, kills and drains them.
//!
//! ```text
//! ledger handler NAME --broker URL --ledger FILE
//! ledger callers --gateways URL,URL --calls N --outcomes FILE
//! ```
//!
//! Each call has a token that no other has. A handler enters it in its ledger before it does
//! anything else, and a caller writes down what became of it, so that whoever reads both knows
//! how often each call has run, and how it ended. What they write survives their being killed.

mod callers;
mod course;
mod handler;
mod level;

type Anything<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Anything<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match *args {
        ["handler", name, "--broker", broker, "--ledger", ledger] => handler::run(name, broker, ledger).await,
        ["callers", "--gateways", gateways, "--calls", calls, "--outcomes", outcomes] => {
            let gateways: Vec<&str> = gateways.split(',').collect();
            callers::run(&gateways, calls.parse()?, outcomes).await
        }
        _ => Err("usage: ledger handler NAME --broker URL --ledger FILE, \
                  or ledger callers --gateways URL,URL --calls N --outcomes FILE"
            .into()),
    }
}
