//! Tables of addresses against states, and states that are broken or hostile.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::*;

/// A state with every form that Terraform writes.
fn state() -> Value {
    let instance = |key: Value, attributes: Value| {
        let mut instance = json!({
            "schema_version": 1, "attributes": attributes, "sensitive_attributes": [],
            "private": "bnVsbA==", "dependencies": ["aws_vpc.main"],
        });
        if !key.is_null() {
            instance["index_key"] = key;
        }
        instance
    };
    let resource = |module: &str, mode: &str, kind: &str, name: &str, instances: Vec<Value>| {
        let mut resource = json!({
            "mode": mode, "type": kind, "name": name,
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": instances,
        });
        if !module.is_empty() {
            resource["module"] = json!(module);
        }
        resource
    };
    let one = |kind: &str, name: &str, attributes: Value| {
        resource("", "managed", kind, name, vec![instance(Value::Null, attributes)])
    };
    let subnets = (0..3).map(|number| {
        instance(json!(number), json!({ "id": format!("subnet-{number}"), "arn": null }))
    });
    let keyed = ["eu", "us-east", "a \"b\"", "x}y", "back\\slash", "dot.key", "ü"]
        .map(|key| instance(json!(key), json!({ "id": format!("{key} id") })));
    let mut marked = instance(
        Value::Null,
        json!({
            "endpoint": "db.internal:5432", "port": 5432, "password": "never-shown", "seed": "never-shown",
            "nodes": [{ "id": "n0", "key": "never-shown" }, { "id": "n1", "key": "fine" }],
            "labels": { "open": "yes", "closed": "never-shown" },
            "master_user_secret": [{ "secret_arn": "arn:secret" }],
        }),
    );
    marked["sensitive_attributes"] = json!([
        [{ "type": "get_attr", "value": "seed" }],
        [{ "type": "get_attr", "value": "nodes" },
         { "type": "index", "value": { "value": 0, "type": "number" } },
         { "type": "get_attr", "value": "key" }],
        [{ "type": "get_attr", "value": "labels" },
         { "type": "index", "value": { "value": "closed", "type": "string" } }],
    ]);
    let mut puzzling = instance(Value::Null, json!({ "id": "p" }));
    puzzling["sensitive_attributes"] = json!([[{ "type": "something_new", "value": 1 }]]);
    let mut deposed = instance(Value::Null, json!({ "id": "old" }));
    deposed["deposed"] = json!("00000001");
    json!({
        "version": 4, "terraform_version": "1.9.5", "serial": 12, "lineage": "3f1c",
        "outputs": {
            "url": { "value": "https://shop.example", "type": "string" },
            "port": { "value": 8080, "type": "number" },
            "ratio": { "value": 0.5, "type": "number" },
            "whole": { "value": 1e3, "type": "number" },
            "minus": { "value": -7, "type": "number" },
            "huge": { "value": 12_345_678_901_234_567_890_123_f64, "type": "number" },
            "on": { "value": true, "type": "bool" },
            "off": { "value": false, "type": "bool" },
            "none": { "value": null, "type": "string" },
            "empty": { "value": "", "type": "string" },
            "reference": { "value": "${var:image}", "type": "string" },
            "lines": { "value": "a: b\nc: d", "type": "string" },
            "long": { "value": "x".repeat(17 * 1024), "type": "string" },
            "subnets": { "value": ["subnet-a", "subnet-b"], "type": ["list", "string"] },
            "empties": { "value": [], "type": ["list", "string"] },
            "nested": { "value": { "a": [{ "b": { "c.d": "deep" } }] }, "type": "object" },
            "token": { "value": "never-shown", "type": "string", "sensitive": true },
            "open": { "value": "open", "type": "string", "sensitive": false },
            "with-dash": { "value": "dash", "type": "string" },
        },
        "resources": [
            one("aws_vpc", "main", json!({
                "id": "vpc-1", "cidr_block": "10.0.0.0/16", "enable_dns": true, "ports": [80, 443],
                "tags": { "Name": "main vpc", "kubernetes.io/role": "elb" }, "arn": null,
                "block": [{ "from": 1, "names": ["n"] }], "name": "plain",
            })),
            resource("", "managed", "aws_subnet", "private", subnets.collect()),
            resource("", "managed", "aws_subnet", "keyed", keyed.to_vec()),
            resource("", "data", "aws_vpc", "main", vec![instance(Value::Null, json!({ "id": "vpc-data" }))]),
            resource("", "data", "aws_ami", "all", vec![instance(json!(0), json!({ "id": "ami-0" }))]),
            resource("module.net", "managed", "aws_subnet", "private", vec![instance(json!(0), json!({ "id": "net-0" }))]),
            resource("module.net", "data", "aws_vpc", "main", vec![instance(Value::Null, json!({ "id": "net-data" }))]),
            resource("module.net.module.inner", "managed", "aws_vpc", "main",
                vec![instance(Value::Null, json!({ "id": "inner" }))]),
            resource("module.many[1]", "managed", "aws_vpc", "main", vec![instance(Value::Null, json!({ "id": "many-1" }))]),
            resource("module.each[\"eu\"].module.deep[0]", "managed", "aws_vpc", "main",
                vec![instance(json!("k"), json!({ "id": "each" }))]),
            resource("", "managed", "aws_db_instance", "db", vec![marked]),
            resource("", "managed", "aws_puzzle", "p", vec![puzzling]),
            resource("", "managed", "aws_swap", "s", vec![deposed, instance(Value::Null, json!({ "id": "new" }))]),
            resource("", "managed", "aws_none", "n", vec![]),
            one("random_password", "db", json!({ "result": "never-shown", "length": 20 })),
            one("aws_ssm_parameter", "p", json!({ "value": "never-shown", "name": "/p" })),
        ],
        "check_results": null,
    })
}

fn looked_up(state: &Value, address: &str) -> Verdict {
    let address = Address::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    let bytes = serde_json::to_vec_pretty(state).unwrap();
    read(&bytes, &[address]).unwrap().verdicts.remove(0)
}

#[test]
fn values_are_found_in_every_form_of_address() {
    let state = state();
    for (address, expected) in [
        ("aws_vpc.main.id", "vpc-1"),
        ("aws_vpc.main.cidr_block", "10.0.0.0/16"),
        ("aws_vpc.main.enable_dns", "true"),
        ("aws_vpc.main.ports[0]", "80"),
        ("aws_vpc.main.ports[1]", "443"),
        ("aws_vpc.main.tags.Name", "main vpc"),
        ("aws_vpc.main.tags[\"Name\"]", "main vpc"),
        ("aws_vpc.main.tags[\"kubernetes.io/role\"]", "elb"),
        ("aws_vpc.main.block[0].from", "1"),
        ("aws_vpc.main.block[0].names[0]", "n"),
        ("aws_vpc.main.name", "plain"),
        ("aws_subnet.private[0].id", "subnet-0"),
        ("aws_subnet.private[2].id", "subnet-2"),
        ("aws_subnet.keyed[\"eu\"].id", "eu id"),
        ("aws_subnet.keyed[\"us-east\"].id", "us-east id"),
        ("aws_subnet.keyed[\"a \\\"b\\\"\"].id", "a \"b\" id"),
        ("aws_subnet.keyed[\"x}y\"].id", "x}y id"),
        ("aws_subnet.keyed[\"back\\\\slash\"].id", "back\\slash id"),
        ("aws_subnet.keyed[\"dot.key\"].id", "dot.key id"),
        ("aws_subnet.keyed[\"\\u00fc\"].id", "ü id"),
        ("data.aws_vpc.main.id", "vpc-data"),
        ("data.aws_ami.all[0].id", "ami-0"),
        ("module.net.aws_subnet.private[0].id", "net-0"),
        ("module.net.data.aws_vpc.main.id", "net-data"),
        ("module.net.module.inner.aws_vpc.main.id", "inner"),
        ("module.many[1].aws_vpc.main.id", "many-1"),
        ("module.each[\"eu\"].module.deep[0].aws_vpc.main[\"k\"].id", "each"),
        ("aws_db_instance.db.endpoint", "db.internal:5432"),
        ("aws_db_instance.db.port", "5432"),
        ("aws_db_instance.db.nodes[0].id", "n0"),
        ("aws_db_instance.db.nodes[1].key", "fine"),
        ("aws_db_instance.db.labels.open", "yes"),
        ("aws_db_instance.db.master_user_secret[0].secret_arn", "arn:secret"),
        ("aws_swap.s.id", "new"),
        ("random_password.db.length", "20"),
        ("aws_ssm_parameter.p.name", "/p"),
        ("output.url", "https://shop.example"),
        ("output.port", "8080"),
        ("output.ratio", "0.5"),
        ("output.whole", "1000"),
        ("output.minus", "-7"),
        ("output.on", "true"),
        ("output.off", "false"),
        ("output.empty", ""),
        ("output.reference", "${var:image}"),
        ("output.lines", "a: b\nc: d"),
        ("output.subnets[1]", "subnet-b"),
        ("output.nested.a[0].b[\"c.d\"]", "deep"),
        ("output.open", "open"),
        ("output.with-dash", "dash"),
    ] {
        assert_eq!(looked_up(&state, address), Verdict::Text(expected.to_owned()), "{address}");
    }
}

#[test]
fn what_is_not_there_or_not_to_be_used_is_told_with_a_hint() {
    let state = state();
    for (address, message, hint) in [
        (
            "aws_vpc.mian.id",
            "the state has no resource `aws_vpc.mian`",
            "did you mean `aws_vpc.main`?",
        ),
        (
            "aws_thing.x.id",
            "the state has no resource `aws_thing.x`",
            "its resources are aws_vpc.main, ",
        ),
        ("module.nat.aws_vpc.main.id", "no resource `module.nat.aws_vpc.main`", ""),
        (
            "module.many[0].aws_vpc.main.id",
            "no resource `module.many[0].aws_vpc.main`",
            "did you mean `module.many[1].aws_vpc.main`?",
        ),
        ("aws_subnet.private.id", "has several instances", "its instances are [0], [1], [2]"),
        ("aws_subnet.private[3].id", "has no instance `[3]`", "its instances are [0], [1], [2]"),
        ("aws_subnet.private[\"0\"].id", "has no instance `[\"0\"]`", "its instances are [0], "),
        ("aws_subnet.keyed[0].id", "has no instance `[0]`", "its instances are [\"eu\"], "),
        (
            "aws_vpc.main[0].id",
            "has neither count nor for_each",
            "write `aws_vpc.main` without `[0]`",
        ),
        ("aws_none.n.id", "`aws_none.n` has no instances", ""),
        ("aws_vpc.main.idd", "`aws_vpc.main` has no `idd`", "did you mean `id`?"),
        ("aws_vpc.main.tags.Nam", "`aws_vpc.main.tags` has no `Nam`", "did you mean `Name`?"),
        (
            "aws_vpc.main.id.x",
            "`aws_vpc.main.id` has no `x`",
            "`aws_vpc.main.id` is a single value",
        ),
        ("aws_vpc.main.id[0]", "`aws_vpc.main.id` has no `[0]`", "is a single value"),
        (
            "aws_vpc.main.ports",
            "`aws_vpc.main.ports` is a list",
            "name one of its items: `aws_vpc.main.ports[0]`",
        ),
        ("aws_vpc.main.ports[2]", "has no `[2]`", "it is a list of 2 items, `[0]` to `[1]`"),
        ("aws_vpc.main.ports.x", "has no `x`", "it is a list of 2 items"),
        ("aws_vpc.main.block[1].from", "has no `[1]`", "it is a list of one item: `[0]`"),
        ("aws_vpc.main.tags", "`aws_vpc.main.tags` is a map", "name one of its members: "),
        ("aws_vpc.main.tags[0]", "has no `[0]`", "known here: "),
        ("aws_vpc.main.arn", "`aws_vpc.main.arn` is null", ""),
        ("output.none", "`output.none` is null", ""),
        ("output.ulr", "the state has no output `ulr`", "did you mean `output.url`?"),
        (
            "output.subnets",
            "`output.subnets` is a list",
            "name one of its items: `output.subnets[0]`",
        ),
        ("output.empties[0]", "has no `[0]`", "the list is empty"),
        ("output.nested.a", "`output.nested.a` is a list", ""),
        ("output.long", "cannot be used: it is longer than 16 KiB", ""),
        ("output.huge", "cannot be used: it is a number too large to be exact", ""),
        ("output.token", "output `token` is sensitive", "under `secrets`"),
        ("output.token[0]", "output `token` is sensitive", "under `secrets`"),
        (
            "aws_db_instance.db.password",
            "`aws_db_instance.db.password` is sensitive",
            "under `secrets`",
        ),
        ("aws_db_instance.db.seed", "is sensitive", "under `secrets`"),
        ("aws_db_instance.db.nodes[0].key", "is sensitive", "under `secrets`"),
        ("aws_db_instance.db.labels.closed", "is sensitive", "under `secrets`"),
        ("aws_db_instance.db.labels[\"closed\"]", "is sensitive", "under `secrets`"),
        ("aws_puzzle.p.id", "is sensitive", "under `secrets`"),
        ("random_password.db.result", "is sensitive", "under `secrets`"),
        ("aws_ssm_parameter.p.value", "is sensitive", "under `secrets`"),
    ] {
        let Verdict::Missing { why, hint: told } = looked_up(&state, address) else {
            panic!("{address} has a value")
        };
        assert!(why.contains(message), "{address}: {why}");
        let told = told.unwrap_or_default();
        assert!(told.contains(hint), "{address}: {told}");
        assert!(!why.contains("never-shown") && !told.contains("never-shown"), "{address}");
    }
}

#[test]
fn what_is_no_address_is_refused_without_any_state() {
    for (address, message) in [
        ("", "it ends too early"),
        ("aws_vpc", "it ends too early"),
        ("aws_vpc.", "it ends too early"),
        ("aws_vpc.main", "names the resource `aws_vpc.main` as a whole"),
        ("aws_vpc.main[0]", "as a whole"),
        ("aws_vpc.main[0][1].id", "an attribute has to follow"),
        ("aws_vpc.main.id.", "it ends too early"),
        ("aws_vpc..id", "a name has to stand before `.id`"),
        ("aws_vpc.main[*].id", "it names several values"),
        ("aws_vpc.main.*.id", "it names several values"),
        ("aws_vpc.main[-1].id", "neither a number nor a text"),
        ("aws_vpc.main[01].id", "neither a number nor a text"),
        ("aws_vpc.main['a'].id", "neither a number nor a text"),
        ("aws_vpc.main[99999999999999999999].id", "neither a number nor a text"),
        ("aws_vpc.main[\"a].id", "a closing `\"` is missing"),
        ("aws_vpc.main[\"a\".id", "a `]` is missing"),
        ("aws_vpc.main[0.id", "a `]` is missing"),
        ("aws_vpc.main[\"\\q\"].id", "unknown escape"),
        ("aws_vpc.main.0.id", "starts with a digit"),
        ("aws_vpc.main.id x", "a `.` has to stand before ` x`"),
        ("module", "it ends too early"),
        ("module.net", "it ends too early"),
        ("module.net.output.x", "outputs of the root module only"),
        ("output", "it ends too early"),
        ("data.aws_vpc", "it ends too early"),
        ("var.region", "`var` is not kept in a state"),
        ("local.x", "`local` is not kept in a state"),
        ("each.key.x", "`each` is not kept in a state"),
    ] {
        let error = Address::parse(address).unwrap_err();
        assert!(error.message.contains(message), "{address}: {error}");
    }
    let deep = format!("aws_vpc.main{}", ".a".repeat(33));
    assert!(Address::parse(&deep).unwrap_err().message.contains("32 steps"));
    let long = format!("aws_vpc.main.{}", "a".repeat(2000));
    assert!(Address::parse(&long).unwrap_err().message.contains("1024 characters"));
}

#[test]
fn addresses_are_written_as_they_are_read() {
    for address in [
        "aws_vpc.main.tags[\"kubernetes.io/role\"]",
        "module.each[\"e\\\"u\"].module.deep[0].data.aws_vpc.main[\"k\"].ids[0].x",
        "output.nested.a[0].b[\"c.d\"]",
        "module.a.aws_vpc.main[3].id",
    ] {
        assert_eq!(Address::parse(address).unwrap().to_string(), address);
    }
}

/// The order of members means nothing: other tools sort them.
#[test]
fn members_may_stand_in_any_order() {
    let text = r#"{"serial": 3, "resources": [{"instances": [
        {"sensitive_attributes": [[{"value": "b", "type": "get_attr"}]],
         "attributes": {"a": "x", "b": "y"}, "index_key": 1},
        {"attributes": {"a": "z"}, "index_key": 0}],
        "name": "n", "type": "t", "mode": "managed"}],
        "outputs": {"o": {"sensitive": true, "value": "y"}}, "version": 4}"#;
    let addresses = ["t.n[1].a", "t.n[0].a", "t.n[1].b", "output.o"];
    let addresses = addresses.map(|address| Address::parse(address).unwrap());
    let reading = read(text.as_bytes(), &addresses).unwrap();
    assert_eq!(reading.serial, Some(3));
    assert_eq!(reading.verdicts[0], Verdict::Text("x".to_owned()));
    assert_eq!(reading.verdicts[1], Verdict::Text("z".to_owned()));
    assert!(
        matches!(&reading.verdicts[2], Verdict::Missing { why, .. } if why.contains("sensitive"))
    );
    assert!(
        matches!(&reading.verdicts[3], Verdict::Missing { why, .. } if why.contains("sensitive"))
    );
}

#[test]
fn states_that_cannot_be_used_say_why_and_nothing_else() {
    let address = [Address::parse("aws_vpc.main.id").unwrap()];
    for (text, expected) in [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("{", "it is cut off"),
        ("never-shown", "it is not JSON"),
        ("[]", "it is not as Terraform writes it"),
        ("{}", "it has no `version`"),
        (r#"{"version": 3, "modules": []}"#, "it has format 3; only format 4 is read"),
        (r#"{"version": 5}"#, "it has format 5"),
        (r#"{"version": "never-shown"}"#, "it is not as Terraform writes it"),
        (r#"{"version": 4, "version": 4}"#, "it is not as Terraform writes it"),
        (r#"{"version": 4, "resources": {}}"#, "it is not as Terraform writes it"),
        (
            r#"{"version": 4, "resources": [{"mode": "managed"}]}"#,
            "it is not as Terraform writes it",
        ),
        (r#"{"version": 4} {"version": 4}"#, "it is not JSON"),
        (
            r#"{"serial": 1, "encrypted_data": "never-shown", "encryption_version": "v0"}"#,
            "it is encrypted",
        ),
        (
            r#"{"version":4,"resources":[{"mode":"managed","type":"aws_vpc","name":"main","instances":["never-shown"]}]}"#,
            "it is not as Terraform writes it",
        ),
    ] {
        let why = read(text.as_bytes(), &address).unwrap_err();
        assert!(why.contains(expected) && !why.contains("never-shown"), "{text}: {why}");
    }
}

#[test]
fn what_stands_twice_is_not_chosen_from() {
    let of = |instances: &str, times: usize| {
        let resource =
            format!(r#"{{"mode":"managed","type":"t","name":"n","instances":[{instances}]}}"#);
        format!(r#"{{"version":4,"resources":[{}]}}"#, vec![resource; times].join(","))
    };
    let one = r#"{"attributes":{"a":"x"}}"#;
    let twice = format!("{one},{one}");
    let member = r#"{"attributes":{"a":"x","a":"y"}}"#;
    for (text, expected) in [
        (of(one, 2), "has the resource `t.n` twice"),
        (of(&twice, 1), "has the instance `t.n` twice"),
        (of(member, 1), "has `t.n.a` twice"),
        (
            r#"{"version":4,"outputs":{"o":{"value":1},"o":{"value":2}}}"#.to_owned(),
            "has the output `o` twice",
        ),
    ] {
        let address = if text.contains("outputs") { "output.o" } else { "t.n.a" };
        let verdicts = read(text.as_bytes(), &[Address::parse(address).unwrap()]).unwrap().verdicts;
        assert!(
            matches!(&verdicts[0], Verdict::Missing { why, .. } if why.contains(expected)),
            "{verdicts:?}"
        );
    }
}

/// Nesting that is not asked for is skipped without recursion; what is asked for is at most 32 steps deep.
#[test]
fn depth_and_size_do_no_harm() {
    let depth = 200_000;
    let deep = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let mut text = format!(
        r#"{{"version":4,"junk":{deep},"resources":[{{"mode":"managed","type":"t","name":"n","instances":[{{"attributes":{{"deep":{objects},"list":{deep},"id":"x"}}}}]}}"#
    );
    for number in 0..50_000 {
        let _ = write!(
            text,
            r#",{{"mode":"managed","type":"t","name":"r{number}","instances":[{{"attributes":{{"id":"i"}}}}]}}"#
        );
    }
    text.push_str("]}");
    let addresses = ["t.n.id", "t.r49999.id", "t.n.deep.a.a", "t.missing.id"];
    let addresses = addresses.map(|address| Address::parse(address).unwrap());
    let verdicts = read(text.as_bytes(), &addresses).unwrap().verdicts;
    assert_eq!(verdicts[0], Verdict::Text("x".to_owned()));
    assert_eq!(verdicts[1], Verdict::Text("i".to_owned()));
    assert!(matches!(&verdicts[2], Verdict::Missing { why, .. } if why.contains("is a map")));
    assert!(matches!(&verdicts[3], Verdict::Missing { why, .. } if why.contains("no resource")));
}

/// A state that was cut off or damaged anywhere is read or refused, and no refusal quotes it.
#[test]
fn damaged_states_do_no_harm() {
    let whole = state().to_string();
    let addresses = [Address::parse("aws_vpc.main.id").unwrap()];
    let (mut refused, mut usable) = (0, 0);
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2_000 {
        let mut bytes = whole.clone().into_bytes();
        match random.u8(0..3) {
            0 => bytes.truncate(random.usize(0..bytes.len())),
            1 => {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            _ => {
                let at = random.usize(0..bytes.len());
                let end = (at + random.usize(0..40)).min(bytes.len());
                bytes.drain(at..end);
            }
        }
        match read(&bytes, &addresses) {
            Ok(_) => usable += 1,
            Err(why) => {
                assert!(!why.contains("never"), "{why}");
                refused += 1;
            }
        }
    }
    assert!(refused > 500 && usable > 100, "{refused} refused, {usable} usable");
}
