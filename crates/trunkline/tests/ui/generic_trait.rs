#[trunkline::service]
trait Math<N> {
    async fn add(&self, a: i64, b: i64) -> i64;
}

fn main() {}

//~ 2:12 a contract is one for all: use concrete types in place of generics of the trait
