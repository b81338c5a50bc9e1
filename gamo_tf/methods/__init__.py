"""The methods: GAMO, its ablation, and what it is compared with. See
`config.methods` for their rows."""
