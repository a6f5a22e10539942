"""Apache Kafka for one machine: what it is made of (`jars`), and a broker of one node (`broker`)."""
