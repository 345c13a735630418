/* Compiled with one public header in front of it (-include), as C and as C++. */
int dn_header_stands_alone(void);
int dn_header_stands_alone(void)
{
    return 1;
}
