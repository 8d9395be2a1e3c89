"""What `import terrawatt` offers to programs. Each name is in a module of its own, loaded when it is first used."""
