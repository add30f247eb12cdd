# find_package(Troupe) for other projects.
