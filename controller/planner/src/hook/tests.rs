//! What is made of tasks and answers.
