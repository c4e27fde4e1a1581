//! What a table of the API's members says about each of them.
//!
//! A [`Shape`] is the table of one structure of the ECS API. Code that has to treat every member alike (the normal form,
//! drift, the update request, the documentation) walks these tables over JSON instead of naming members one by one.

/// One structure of the API and its members, in the order of the API's documentation.
#[derive(Debug, PartialEq)]
pub struct Shape {
    /// The structure's name.
    pub name: &'static str,
    /// The doc comment as it stands in the table; [`Shape::description`] is the text for people.
    pub doc: &'static str,
    /// Its members.
    pub members: &'static [Member],
}

impl Shape {
    /// What the structure is for, in one line.
    pub fn description(&self) -> String {
        one_line(self.doc)
    }

    /// The member with this name on the wire.
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// One member of a structure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    /// The name on the wire, as ECS spells it.
    pub name: &'static str,
    /// The doc comment as it stands in the table; [`Member::description`] is the text for people.
    pub doc: &'static str,
    /// What kind of value it holds.
    pub kind: Kind,
    /// Whether a structure without it is refused.
    pub required: bool,
    /// What its absence means.
    pub absent: Absent,
    /// What changing it does to a running service; `None` takes the effect of the structure that holds it.
    pub effect: Option<Effect>,
    /// Which different texts mean the same value.
    pub unit: Unit,
    /// The smallest and largest value that ECS takes, both included.
    pub limits: Option<Limits>,
    /// A sibling whose presence on the running service makes this member meaningless there.
    pub yields_to: Option<&'static str>,
    /// The one value to which ECS moves this member in place, whatever `effect` says of the others.
    pub in_place_to: Option<&'static str>,
}

impl Member {
    /// What the member does, its unit, limits and default, in one line.
    pub fn description(&self) -> String {
        one_line(self.doc)
    }
}

/// A doc comment without the line ends and spaces of the source.
fn one_line(doc: &str) -> String {
    doc.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// What kind of value a member holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number that may have a fraction.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of these texts. The list is open: AWS adds values, so an unknown one is passed on.
    Enumeration(&'static [&'static str]),
    /// A structure.
    Struct(&'static Shape),
    /// A list.
    List {
        /// What it is a list of.
        of: &'static Kind,
        /// What the order of its elements means.
        order: Order,
    },
    /// Texts by name.
    Map,
    /// Any JSON, passed on as it is.
    Document,
}

/// What the order of a list means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Another order is another value.
    Significant,
    /// Neither order nor repetition matters.
    Set,
    /// Elements are told apart by these members of theirs; order does not matter.
    KeyedBy(&'static [&'static str]),
}

/// What the absence of a member means. `null`, `[]` and `{}` are absence too (aws.md §2.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// There is none.
    Empty,
    /// It has this value.
    Is(Literal),
    /// ECS chooses: a spec that is silent about it agrees with anything.
    Server,
    /// As `Server`; in an update that replaces the structure as a whole, the running service's value is sent along.
    Kept,
    /// ECS does not show it where services are described: it is compared only where it was read from elsewhere.
    InputOnly,
}

/// A default value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Boolean(bool),
    /// A text.
    Text(&'static str),
    /// A structure whose members all have their defaults.
    Defaults,
}

/// The smallest and the largest value that ECS takes, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

/// Which different texts mean the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// None: texts are compared as they are.
    Plain,
    /// CPU units: `1 vCPU` is `1024`.
    CpuUnits,
    /// Mebibytes: `2 GB` is `2048`.
    MemoryMib,
    /// An IAM role: its name means its ARN.
    RoleName,
    /// A name or identifier that AWS answers as an ARN which ends in it.
    ArnOrName,
    /// A Cloud Map namespace: AWS answers a name with an ARN that does not contain it, so that the two cannot be compared.
    Namespace,
}

/// What carrying out a change does to the tasks of a service (aws.md §2.4).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub enum Effect {
    /// ECS changes a setting; no task notices.
    InPlace,
    /// Running tasks keep the old value; tasks started later have the new one.
    NewTasksOnly,
    /// ECS refuses or defers the change unless a new deployment is forced in the same call.
    NeedsForce,
    /// A deployment replaces the tasks.
    RollsTasks,
    /// No call changes it: the service has to be deleted and created again.
    Replacement,
}

impl Effect {
    /// The effect in words, as plans print it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::NewTasksOnly => "new tasks only",
            Self::NeedsForce => "needs force",
            Self::RollsTasks => "rolls tasks",
            Self::Replacement => "replacement",
        }
    }
}

impl std::fmt::Display for Effect {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}
