//! Broken and unusual documents, each with the exact answer.

use proptest::prelude::*;

use super::*;

const SERVICE: &str = "\
apiVersion: longshore.dev/v1alpha1
kind: Service
metadata:
  name: web
spec:
  cluster: shop
  taskDefinition:
    family: web
    containerDefinitions:
      - name: app
        image: web:v1
  service: {}
";

const CONTROLLER: &str = "\
apiVersion: longshore.dev/v1alpha1
kind: Controller
metadata: {name: prod}
spec:
  sources:
    - name: fleet
      git: {url: https://github.com/acme/fleet.git}
";

fn parsed(text: impl Into<String>) -> ParsedFile {
    parse(&SourceFile::new("web.yaml", Bytes::from(text.into())))
}

/// What is wrong, one line each, with the key that it holds.
fn told(text: impl Into<String>) -> Vec<String> {
    let parsed = parsed(text);
    let line = |invalid: &InvalidObject| match &invalid.key {
        Some(key) => format!("{invalid} [{key}]"),
        None => format!("{invalid} [?]"),
    };
    parsed.invalid.iter().map(line).collect()
}

fn names(parsed: &ParsedFile) -> Vec<(u32, String)> {
    let name = |object: &Object| match object {
        Object::Service(service) => service.metadata.name.clone(),
        Object::Release(release) => release.metadata.name.clone(),
        Object::Controller(controller) => controller.metadata.name.clone(),
    };
    parsed.objects.iter().map(|located| (located.position.line, name(&located.object))).collect()
}

fn named(expected: &[(u32, &str)]) -> Vec<(u32, String)> {
    expected.iter().map(|(line, name)| (*line, (*name).to_owned())).collect()
}

fn with(from: &str, to: &str) -> String {
    assert!(SERVICE.contains(from), "the example has no {from:?}");
    SERVICE.replacen(from, to, 1)
}

const IMAGE: &str = "        image: web:v1\n";
const END: &str = "  service: {}\n";

/// A text to replace, its replacement, and everything that is then said.
type Case = (&'static str, &'static str, &'static [&'static str]);

fn check(cases: &[Case]) {
    for (from, to, expected) in cases {
        assert_eq!(told(with(from, to)), *expected, "{from:?} -> {to:?}");
    }
}

#[test]
fn a_good_document_is_an_object_and_nothing_is_said() {
    let parsed = parsed(format!("# licence\n\n{SERVICE}---\n{CONTROLLER}"));
    assert_eq!(parsed.invalid, vec![]);
    assert_eq!(names(&parsed), named(&[(3, "web"), (16, "prod")]));
}

#[test]
fn unknown_fields_are_told_with_what_was_meant_or_where_they_belong() {
    check(&[
        (
            "family:",
            "famly:",
            &[
                "web.yaml:8:5: spec.taskDefinition.famly: unknown field `famly`; did you mean `family`? [shop/web]",
            ],
        ),
        (
            "family: web",
            "execution_role_arn: arn",
            &[
                "web.yaml:8:5: spec.taskDefinition.execution_role_arn: unknown field `execution_role_arn`; did you mean `executionRoleArn`? [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: web:v1\n        portMapping: []\n",
            &[
                "web.yaml:12:9: spec.taskDefinition.containerDefinitions[0].portMapping: unknown field `portMapping`; did you mean `portMappings`? [shop/web]",
            ],
        ),
        (
            END,
            "  service: {}\n  cpu: \"512\"\n",
            &[
                "web.yaml:13:3: spec.cpu: unknown field `cpu`; it belongs in `spec.taskDefinition.containerDefinitions[]` or `spec.taskDefinition` [shop/web]",
            ],
        ),
        (
            END,
            "  service: {}\n  replicas: 3\n",
            &[
                "web.yaml:13:3: spec.replicas: unknown field `replicas`; known here: cluster, target, taskDefinition, service, passthrough, scaling, rollout, sync [shop/web]",
            ],
        ),
        (
            "service: {}",
            "service: {executionRoleArn: x}",
            &[
                "web.yaml:12:13: spec.service.executionRoleArn: unknown field `executionRoleArn`; it belongs in `spec.taskDefinition` [shop/web]",
            ],
        ),
        (
            "service: {}",
            "service: {warpDrive: x}",
            &[
                "web.yaml:12:13: spec.service.warpDrive: unknown field `warpDrive`; if ECS knows it and this Longshore does not, give it below `spec.passthrough.service` [shop/web]",
            ],
        ),
        (
            "metadata:",
            "Metadata:",
            &["web.yaml:3:1: Metadata: unknown field `Metadata`; did you mean `metadata`? [?]"],
        ),
        (
            "spec:",
            "status: {}\nspec:",
            &[
                "web.yaml:5:1: status: unknown field `status`; known here: apiVersion, kind, metadata, spec [shop/web]",
            ],
        ),
    ]);
}

#[test]
fn wrong_types_are_told_with_what_to_write() {
    check(&[
        (
            "name: web",
            "name: 123",
            &[
                "web.yaml:4:9: metadata.name: expected text, found the number `123`; write \"123\" in quotes [shop/123]",
            ],
        ),
        (
            IMAGE,
            "        image: web:v1\n        environment: [{name: PORT, value: 8080}]\n",
            &[
                "web.yaml:12:43: spec.taskDefinition.containerDefinitions[0].environment[0].value: expected text, found a number; write the value in quotes [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: 1.10\n",
            &[
                "web.yaml:11:16: spec.taskDefinition.containerDefinitions[0].image: expected text, found the number `1.10`; write \"1.10\" in quotes [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: true\n",
            &[
                "web.yaml:11:16: spec.taskDefinition.containerDefinitions[0].image: expected text, found `true`; write \"true\" in quotes [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: [web:v1]\n",
            &[
                "web.yaml:11:9: spec.taskDefinition.containerDefinitions[0].image: expected text, found a list; write `web:v1` without brackets [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: web:v1\n        portMappings: [{containerPort: \"8080\"}]\n",
            &[
                "web.yaml:12:40: spec.taskDefinition.containerDefinitions[0].portMappings[0].containerPort: expected a whole number, found the text `8080`; write 8080 without quotes [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: web:v1\n        portMappings: [{containerPort: 99999999999}]\n",
            &[
                "web.yaml:12:40: spec.taskDefinition.containerDefinitions[0].portMappings[0].containerPort: the number `99999999999` is out of range; it must be from -2147483648 to 2147483647 [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: web:v1\n        cpu: ${var:cpu}\n",
            &[
                "web.yaml:12:14: spec.taskDefinition.containerDefinitions[0].cpu: expected a whole number, found the text `${var:cpu}`; references stand for text, this field takes a number [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: web:v1\n        essential: yes\n",
            &[
                "web.yaml:12:20: spec.taskDefinition.containerDefinitions[0].essential: expected `true` or `false`, found the text `yes`; write true without quotes [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: web:v1\n        command: npm start\n",
            &[
                "web.yaml:12:18: spec.taskDefinition.containerDefinitions[0].command: expected a list, found the text `npm start`; write [npm, start] [shop/web]",
            ],
        ),
        (
            "service: {}",
            "service: {desiredCount: 2.5}",
            &[
                "web.yaml:12:27: spec.service.desiredCount: expected a whole number, found the number `2.5` [shop/web]",
            ],
        ),
        (
            "service: {}",
            "service: []",
            &["web.yaml:12:3: spec.service: expected a mapping, found a list [shop/web]"],
        ),
        (
            "      - name: app\n        image",
            "      name: app\n      image",
            &[
                "web.yaml:9:5: spec.taskDefinition.containerDefinitions: expected a list, found a mapping; begin each item with `- ` [shop/web]",
            ],
        ),
        (
            "metadata:\n  name: web\n",
            "metadata:\n",
            &[
                "web.yaml:3:9: metadata: expected a mapping, found nothing; indent its fields below it [?]",
            ],
        ),
        (
            END,
            "  service: {}\n  rollout: {timeout: 15}\n",
            &[
                "web.yaml:13:22: spec.rollout.timeout: expected text, found the number `15`; write \"15\" in quotes [shop/web]",
            ],
        ),
        (
            END,
            "  service: {}\n  rollout: {timeout: 15x}\n",
            &[
                "web.yaml:13:22: spec.rollout.timeout: duration `15x` is not valid: write a number and a unit, as `90s`, `15m`, `1h30m` [shop/web]",
            ],
        ),
        (
            END,
            "  service: {}\n  sync: {mode: automatic}\n",
            &[
                "web.yaml:13:16: spec.sync.mode: `automatic` is not one of the known words; write one of auto, manual [shop/web]",
            ],
        ),
    ]);
}

/// A password that YAML takes for a number, and tokens in the place of where to read them.
#[test]
fn what_may_be_a_secret_is_not_repeated() {
    for value in ["4711", "[4711]", "{4711: x}", "47.11", "!!str [4711]", "!p4711"] {
        let text =
            with(IMAGE, &format!("{IMAGE}        environment: [{{name: PIN, value: {value}}}]\n"));
        let told = told(text);
        assert_eq!(told.len(), 1, "{value}: {told:?}");
        assert!(told[0].contains("environment[0].value") && !told[0].contains("47"), "{told:?}");
    }
    let unspaced =
        "        environment:\n        - name: PIN\n          value:p4711\n          more: x\n";
    let told = told(with(IMAGE, &format!("{IMAGE}{unspaced}")));
    assert!(told.len() == 1 && !told[0].contains("4711"), "{told:?}");
    let address = "url: https://github.com/acme/fleet.git";
    let http = "  http: {auth: {token: ghp_4711}}\n";
    let controllers = [
        CONTROLLER.replace(address, &format!("{address}, token: ghp_4711")),
        CONTROLLER.replace(address, &format!("{address}, token: \"ghp_4711\"")),
        CONTROLLER.replace(address, &format!("{address}, token: [ghp_4711]")),
        format!("{CONTROLLER}{http}"),
    ];
    for controller in controllers {
        let told = self::told(controller);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("token: expected a mapping"), "{told:?}");
        assert!(!told[0].contains("4711"), "{told:?}");
    }
}

#[test]
fn every_error_of_a_document_is_told_at_once() {
    check(&[(
        END,
        "  service: {desiredCount: two, colour: red}\n  sync: {mode: Auto, prune: off}\n",
        &[
            "web.yaml:12:27: spec.service.desiredCount: expected a whole number, found the text `two` [shop/web]",
            "web.yaml:12:32: spec.service.colour: unknown field `colour`; if ECS knows it and this Longshore does not, give it below `spec.passthrough.service` [shop/web]",
            "web.yaml:13:16: spec.sync.mode: `Auto` is not one of the known words; did you mean `auto`? [shop/web]",
            "web.yaml:13:29: spec.sync.prune: expected `true` or `false`, found the text `off`; write false without quotes [shop/web]",
        ],
    )]);
}

#[test]
fn missing_and_repeated_fields_are_told() {
    check(&[
        (
            "  cluster: shop\n",
            "",
            &["web.yaml:5:1: spec.cluster: the field `cluster` is missing [?]"],
        ),
        (
            "metadata:\n  name: web\n",
            "metadata: {labels: {}}\n",
            &["web.yaml:3:1: metadata.name: the field `name` is missing [?]"],
        ),
        (
            "kind: Service\n",
            "",
            &[
                "web.yaml:1:1: kind: the field `kind` is missing; write one of Service, Release, Controller [shop/web]",
            ],
        ),
        (
            "    family: web\n",
            "    family: web\n    family: web\n",
            &[
                "web.yaml:9:5: spec.taskDefinition.family: the field `family` is given twice; it is first given on line 8; keep one of them [shop/web]",
            ],
        ),
        (
            "  cluster: shop\n",
            "  cluster: shop\n  cluster: other\n",
            &[
                "web.yaml:7:3: spec.cluster: the field `cluster` is given twice; it is first given on line 6; keep one of them [?]",
            ],
        ),
    ]);
}

#[test]
fn syntax_errors_are_told_in_words_and_hold_only_their_own_service() {
    check(&[
        (
            "  name: web\n",
            "  name: web\n\tlabels: {}\n",
            &[
                "web.yaml:5:1: the line is indented with a tab; YAML is indented with spaces [shop/web]",
            ],
        ),
        (
            "    family: web\n",
            "    family: web\n   cpu: \"512\"\n",
            &[
                "web.yaml:9:4: the indentation fits none of the lines above; indent the fields of one mapping alike [shop/web]",
            ],
        ),
        (
            "    family: web\n",
            "    family: \"web\n",
            &["web.yaml:9:5: a quoted text does not end; close the quote [shop/web]"],
        ),
        (
            "    family: web\n",
            "    family: web: x\n",
            &[
                "web.yaml:8:16: a field is not possible here; check the indentation, and quote text that contains `: ` [shop/web]",
            ],
        ),
        (
            "    family: web\n",
            "    family:web\n",
            &["web.yaml:8:5: `family:…` is no field; write a space after the colon [shop/web]"],
        ),
        (
            "service: {}",
            "service: {launchType: FARGATE",
            &["web.yaml:12:12: `{` is not closed; close it with `}` [shop/web]"],
        ),
        (
            IMAGE,
            "        image: {{ .Values.image }}\n",
            &[
                "web.yaml:11:17: spec.taskDefinition.containerDefinitions[0].image: a template is not YAML before it is rendered; render it first, or use ${var:name} references [shop/web]",
            ],
        ),
        (
            IMAGE,
            "<<<<<<< HEAD\n        image: web:v1\n=======\n        image: web:v2\n>>>>>>> x\n",
            &[
                "web.yaml:11:1: a merge conflict was committed; resolve it and remove the markers [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: *app\n",
            &[
                "web.yaml:11:16: the alias names no anchor; define it before with `&name`, or quote text that starts with `*` [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: @app\n",
            &["web.yaml:11:16: a value cannot start with `@`; put the value in quotes [shop/web]"],
        ),
        (
            IMAGE,
            "        image: !Ref app\n",
            &[
                "web.yaml:11:21: spec.taskDefinition.containerDefinitions[0].image: a word that starts with `!` is a tag, and tags have no meaning here; write the value itself, in quotes if it starts so [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: \"web\" v1\n",
            &[
                "web.yaml:11:22: there is text after the closing quote; put the whole value in quotes [shop/web]",
            ],
        ),
        (
            IMAGE,
            "        image: \"web\\q\"\n",
            &[
                "web.yaml:11:16: the text holds an unknown escape; write \\\\ for a backslash, or use single quotes [shop/web]",
            ],
        ),
    ]);
}

#[test]
fn labels_that_are_nearly_ours_are_told_and_not_taken_for_another_tools() {
    check(&[
        (
            "longshore.dev",
            "l%ong.dev",
            &[
                "web.yaml:1:13: apiVersion: `l%ong.dev/v1alpha1` is not a version that this Longshore knows; write `longshore.dev/v1alpha1` [shop/web]",
            ],
        ),
        (
            "v1alpha1",
            "v1",
            &[
                "web.yaml:1:13: apiVersion: `longshore.dev/v1` is not a version that this Longshore knows; write `longshore.dev/v1alpha1` [shop/web]",
            ],
        ),
        (
            "longshore.dev",
            "longshor.dev",
            &[
                "web.yaml:1:13: apiVersion: `longshor.dev/v1alpha1` is not a version that this Longshore knows; write `longshore.dev/v1alpha1` [shop/web]",
            ],
        ),
        (
            "apiVersion:",
            "apiVersoin:",
            &[
                "web.yaml:1:1: apiVersoin: unknown field `apiVersoin`; did you mean `apiVersion`? [shop/web]",
            ],
        ),
        (
            "apiVersion: longshore.dev/v1alpha1\n",
            "",
            &[
                "web.yaml:1:1: apiVersion: the field `apiVersion` is missing; write `apiVersion: longshore.dev/v1alpha1` [shop/web]",
            ],
        ),
        (
            "kind: Service",
            "kind: Servce",
            &[
                "web.yaml:2:7: kind: `Servce` is not a kind of longshore.dev/v1alpha1; did you mean `Service`? [shop/web]",
            ],
        ),
        (
            "kind: Service",
            "kind: Deployment",
            &[
                "web.yaml:2:7: kind: `Deployment` is not a kind of longshore.dev/v1alpha1; kinds are Service, Release, Controller [shop/web]",
            ],
        ),
    ]);
    assert_eq!(
        told(format!("- {}", SERVICE.trim_end().replace('\n', "\n  "))),
        [
            "web.yaml:1:1: the document is a list of objects; write each object as a document, with a line `---` between [?]"
        ]
    );
}

#[test]
fn names_keep_their_rules() {
    check(&[
        (
            "name: web\n",
            "name: web app\n",
            &[
                "web.yaml:4:9: metadata.name: service name `web app` is not valid: use 1 to 255 letters, digits, `-` and `_` [?]",
            ],
        ),
        (
            "cluster: shop",
            "cluster: shop/prod",
            &[
                "web.yaml:6:12: spec.cluster: cluster name `shop/prod` is not valid: use 1 to 255 letters, digits, `-` and `_` [?]",
            ],
        ),
    ]);
    assert_eq!(
        told(
            CONTROLLER
                .replace("prod", "Prod")
                .replace("fleet\n", "fleet\n      directory: {path: .}\n")
        ),
        [
            "web.yaml:3:18: metadata.name: controller name `Prod` is not valid: use 1 to 63 lower-case letters, digits and `-`, not at the ends [?]",
            "web.yaml:6:7: spec.sources[0]: source `fleet` names more than one place: give one of git, s3, directory [?]",
        ]
    );
}

#[test]
fn documents_of_other_tools_are_left_alone() {
    for text in [
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {cluster: a}\n",
        "apiVersion: v1\nkind: Service\n bad\n  indentation: [\n",
        "services:\n  web: {image: x}\n",
        "region: eu-central-1\ncluster: shop\nservice_definition: service.json\n",
        "{{- if .Values.x }}\na: b\n{{- end }}\n",
        "[1, 2, 3]",
        "just text",
        "",
        "# nothing\n---\n",
        "{\"name\": \"package\", \"version\": \"1.0.0\"}",
        "apiVersion: ecs.services.k8s.aws/v1alpha1\nkind: Service\nspec: {cluster: a, taskDefinition: web:1}\n",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: longshore.dev}\n",
    ] {
        let parsed = parsed(text);
        assert_eq!(parsed.invalid, vec![], "{text}");
        assert!(parsed.objects.is_empty(), "{text}");
    }
}

#[test]
fn a_broken_document_leaves_its_neighbours_whole() {
    let second = with("name: web\n", "name: b\n").replace("family: web", "family: 'web");
    let third = with("name: web\n", "name: c\n");
    let parsed = parsed(format!("{SERVICE}---\n{second}---\n{third}"));
    assert_eq!(names(&parsed), named(&[(1, "web"), (27, "c")]));
    assert_eq!(parsed.invalid.len(), 1);
    assert_eq!(parsed.invalid[0].key.as_ref().unwrap().to_string(), "shop/b");
    assert_eq!(parsed.invalid[0].position.unwrap().line, 22);
}

#[test]
fn the_key_names_the_target_even_when_the_error_comes_first() {
    let text = with("metadata:\n", "metadata: {\n")
        .replace("  cluster: shop\n", "  cluster: shop\n  target: eu\n");
    assert_eq!(parsed(text).invalid[0].key.as_ref().unwrap().to_string(), "eu:shop/web");
}

#[test]
fn json_is_read_and_mended_alike() {
    let good = r#"{"apiVersion":"longshore.dev/v1alpha1","kind":"Service","metadata":{"name":"web"},
 "spec":{"cluster":"shop","taskDefinition":{"containerDefinitions":[]},"service":{}}}"#;
    assert_eq!(names(&parsed(good)), named(&[(1, "web")]));
    assert_eq!(
        told(good.replace("\"service\"", "\"servce\"")),
        ["web.yaml:2:72: spec.servce: unknown field `servce`; did you mean `service`? [shop/web]"]
    );
    assert_eq!(
        told(good.replace("\"service\":{}}}", "\"service\":{")),
        ["web.yaml:2:82: `{` is not closed; close it with `}` [shop/web]"]
    );
}

#[test]
fn aliases_and_merges_are_written_out() {
    let text = with(IMAGE, "        <<: *base\n").replace(
        "    family: web\n",
        "    family: web\n    tags:\n      - &base-tag {key: a, value: b}\n",
    );
    let text = text.replace(
        "      - name: app\n",
        "      - &base {name: base, image: web:v1}\n      - name: app\n",
    );
    let parsed = parsed(text);
    assert_eq!(parsed.invalid, vec![]);
    let Object::Service(service) = &parsed.objects[0].object else { panic!("not a service") };
    let containers = serde_json::to_value(&service.spec.task_definition).unwrap();
    assert_eq!(containers["containerDefinitions"][1]["image"], "web:v1");
    assert_eq!(containers["containerDefinitions"][1]["name"], "app");
}

#[test]
fn bombs_are_refused_quickly() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for pair in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"] {
        let (from, to) = pair.split_at(1);
        let aliases = vec![format!("*{from}"); 10].join(",");
        bomb.extend([to, ": &", to, " [", &aliases, "]\n"]);
    }
    assert_eq!(
        told(format!("{bomb}{SERVICE}")),
        [
            "web.yaml:5:17: e[3]: the document holds more than 50000 values, aliases written out [shop/web]"
        ]
    );
    assert_eq!(
        told(with("service: {}", &format!("service: {}", "[".repeat(500_000)))),
        [
            "web.yaml:12:84: values are nested too deep; specs need no more than a few levels [shop/web]"
        ]
    );
    assert_eq!(
        told(with(END, "  service: {}\n  x: &x {y: *x}\n")),
        ["web.yaml:13:13: spec.x.y: the alias names something that contains it [shop/web]"]
    );
    let mut wide = String::new();
    (0..60_000).for_each(|index| wide.extend(["k", &index.to_string(), ": 1\n"]));
    assert_eq!(told(format!("{SERVICE}{wide}")).len(), 1);
    let repeated = "    family: web\n".repeat(40_000);
    let told =
        told(with("    family: web\n", &repeated).replace("  service", "  cluster: b\n  service"));
    assert_eq!(told.len(), 20);
    assert!(told.iter().all(|line| line.ends_with("[?]")), "the cluster was given twice: {told:?}");
}

#[test]
fn files_that_cannot_be_read_hold_everything() {
    let not_text =
        parse(&SourceFile::new("web.yaml", Bytes::from_static(b"apiVersion: longshore.dev/\xff")));
    assert_eq!(
        not_text.invalid[0].to_string(),
        "web.yaml: the file is not UTF-8; save it as UTF-8"
    );
    assert_eq!(not_text.invalid[0].key, None);
    let of_another = parse(&SourceFile::new("web.yaml", Bytes::from_static(b"a: \xff")));
    assert_eq!(of_another.invalid, vec![]);
}

#[test]
fn a_file_whose_name_breaks_lines_is_refused() {
    let file = SourceFile::new("a\n\u{1b}[2Jb.yaml", Bytes::from_static(SERVICE.as_bytes()));
    let parsed = parse(&file);
    assert!(parsed.objects.is_empty());
    assert_eq!(
        parsed.invalid[0].to_string(),
        "a  [2Jb.yaml: the path is not usable; rename it in UTF-8, without `..` and control characters"
    );
}

#[test]
fn fields_can_be_located_later() {
    let parsed = parsed(format!("{CONTROLLER}---\n{SERVICE}"));
    let places = parsed.objects[1].places();
    for (path, line, column) in [
        ("spec.cluster", 14, 12),
        ("spec.taskDefinition.containerDefinitions[0].image", 19, 16),
        ("spec.taskDefinition.containerDefinitions[0].cpu", 18, 9),
        ("spec.service.desiredCount", 20, 3),
        ("nowhere", 9, 1),
    ] {
        assert_eq!(places.locate(path), Some(Position { line, column }), "{path}");
    }
}

/// Not a benchmark, a tripwire: unoptimised code takes about ten times as long as released code.
#[test]
fn a_thousand_specs_are_read_in_reasonable_time() {
    let container = "      - name: side\n        image: side:v1\n        environment:\n          - {name: A, value: b}\n          - {name: C, value: d}\n        portMappings: [{containerPort: 80}]\n";
    let text = with(IMAGE, &format!("{IMAGE}{}", container.repeat(3)));
    let file = SourceFile::new("web.yaml", Bytes::from(text));
    let started = tokio::time::Instant::now().into_std();
    for _ in 0..1000 {
        assert_eq!(parse(&file).objects.len(), 1);
    }
    let elapsed = started.elapsed();
    println!("1,000 specs of {} bytes: {elapsed:?}", file.bytes().len());
    assert!(elapsed.as_secs() < 60, "{elapsed:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        parse(&SourceFile::new("x.yaml", Bytes::from(bytes)));
    }

    #[test]
    fn no_text_of_yamls_own_signs_makes_it_panic(text in "[-:{}\\[\\],&*!|>'\"%@`#?a~ \\n\\t0.]{0,200}") {
        parse(&SourceFile::new("x.yaml", Bytes::from(format!("apiVersion: longshore.dev/v1alpha1\n{text}"))));
    }

    /// Wherever a good document is cut or disturbed, it is still ours, or is told: it never vanishes silently.
    #[test]
    fn a_disturbed_service_never_vanishes(
        at in 0_usize..SERVICE.len(),
        with in "[-:{}\\[\\],&*!|>'\"%@`?a~\\t]{1,3}",
    ) {
        let mut text = SERVICE.to_owned();
        text.insert_str(at, &with);
        let parsed = parsed(text.clone());
        prop_assert!(!parsed.objects.is_empty() || !parsed.invalid.is_empty(), "{text}");
        for key in parsed.invalid.iter().filter_map(|invalid| invalid.key.as_ref()) {
            let disturbed_name = key.name.as_str() != "web" || key.cluster.as_str() != "shop";
            let is_at_a_name = text.contains("name: web\n") && text.contains("cluster: shop\n");
            prop_assert!(!(disturbed_name && is_at_a_name), "{key} from {text}");
        }
    }
}
