#[trunkline::service]
trait Math {
    #[procedure(timeout = "5 sec")]
    async fn add(&self, a: i64, b: i64) -> i64;

    #[procedure(timeout = 0)]
    async fn wait(&self);

    #[procedure(timeout)]
    async fn forever(&self);
}

fn main() {}

//~ 3:27 not a time that a call can take: write a number and `ms`, `s`, `m` or `h`, such as "5s", or a number of seconds
//~ 6:27 not a time that a call can take: write a number and `ms`, `s`, `m` or `h`, such as "5s", or a number of seconds
//~ 9:17 write `timeout = …`: it takes a value
